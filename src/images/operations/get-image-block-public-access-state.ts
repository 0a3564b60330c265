/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetImageBlockPublicAccessState.html */
import type {
  GetImageBlockPublicAccessStateRequest,
  GetImageBlockPublicAccessStateResult,
} from '@aws-sdk/client-ec2'
import { readOperation } from '../../wire/operation.ts'
import { findImageSettings } from '../settings-store.ts'

export const getImageBlockPublicAccessState = readOperation<
  GetImageBlockPublicAccessStateRequest,
  GetImageBlockPublicAccessStateResult
>({
  action: 'GetImageBlockPublicAccessState',
  async run({ db, caller, region }) {
    const { publicAccess } = await findImageSettings(db, { accountId: caller.accountId, region })
    return { ImageBlockPublicAccessState: publicAccess, ManagedBy: 'account' }
  },
})
