/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableSnapshotBlockPublicAccess.html */
import type {
  EnableSnapshotBlockPublicAccessRequest,
  EnableSnapshotBlockPublicAccessResult,
} from '@aws-sdk/client-ec2'
import { invalidParameterValue } from '../../lib/errors.ts'
import { requireUndeclared } from '../../organizations/declared.ts'
import { writeOperation } from '../../wire/operation.ts'
import { setPublicAccess } from '../settings-store.ts'

export const enableSnapshotBlockPublicAccess = writeOperation<
  EnableSnapshotBlockPublicAccessRequest,
  EnableSnapshotBlockPublicAccessResult
>({
  action: 'EnableSnapshotBlockPublicAccess',
  async run({ input, tx, caller, region }) {
    const { State = '' } = input
    if (State !== 'block-all-sharing' && State !== 'block-new-sharing') {
      throw invalidParameterValue(
        'state',
        State,
        'It must be block-all-sharing or block-new-sharing.',
      )
    }
    await requireUndeclared(tx, caller.accountId, 'snapshotPublicAccess')
    await setPublicAccess(tx, { accountId: caller.accountId, region }, State)
    return { State }
  },
})
