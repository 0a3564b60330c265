/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSnapshotBlockPublicAccessState.html */
import type {
  GetSnapshotBlockPublicAccessStateRequest,
  GetSnapshotBlockPublicAccessStateResult,
} from '@aws-sdk/client-ec2'
import { readOperation } from '../../wire/operation.ts'
import { readPublicAccess } from '../held-public-access.ts'

export const getSnapshotBlockPublicAccessState = readOperation<
  GetSnapshotBlockPublicAccessStateRequest,
  GetSnapshotBlockPublicAccessStateResult
>({
  action: 'GetSnapshotBlockPublicAccessState',
  async run({ db, caller, region }) {
    const owner = { accountId: caller.accountId, region }
    const { access: State, manager: ManagedBy } = await readPublicAccess(db, owner)
    return { State, ManagedBy }
  },
})
