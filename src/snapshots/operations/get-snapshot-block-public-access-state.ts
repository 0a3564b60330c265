/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSnapshotBlockPublicAccessState.html */
import type {
  GetSnapshotBlockPublicAccessStateRequest,
  GetSnapshotBlockPublicAccessStateResult,
} from '@aws-sdk/client-ec2'
import { readOperation } from '../../wire/operation.ts'
import { findPublicAccess } from '../settings-store.ts'

export const getSnapshotBlockPublicAccessState = readOperation<
  GetSnapshotBlockPublicAccessStateRequest,
  GetSnapshotBlockPublicAccessStateResult
>({
  action: 'GetSnapshotBlockPublicAccessState',
  async run({ db, caller, region }) {
    const State = await findPublicAccess(db, { accountId: caller.accountId, region })
    return { State, ManagedBy: 'account' }
  },
})
