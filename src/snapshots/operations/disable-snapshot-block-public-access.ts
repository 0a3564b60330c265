/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DisableSnapshotBlockPublicAccess.html */
import type {
  DisableSnapshotBlockPublicAccessRequest,
  DisableSnapshotBlockPublicAccessResult,
} from '@aws-sdk/client-ec2'
import { requireUndeclared } from '../../organizations/declared.ts'
import { writeOperation } from '../../wire/operation.ts'
import { setPublicAccess } from '../settings-store.ts'

export const disableSnapshotBlockPublicAccess = writeOperation<
  DisableSnapshotBlockPublicAccessRequest,
  DisableSnapshotBlockPublicAccessResult
>({
  action: 'DisableSnapshotBlockPublicAccess',
  async run({ tx, caller, region }) {
    const State = 'unblocked'
    await requireUndeclared(tx, caller.accountId, 'snapshotPublicAccess')
    await setPublicAccess(tx, { accountId: caller.accountId, region }, State)
    return { State }
  },
})
