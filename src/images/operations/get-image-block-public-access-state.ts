/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetImageBlockPublicAccessState.html */
import type {
  GetImageBlockPublicAccessStateRequest,
  GetImageBlockPublicAccessStateResult,
} from '@aws-sdk/client-ec2'
import { readOperation } from '../../wire/operation.ts'
import { readImageSettings } from '../held-settings.ts'

export const getImageBlockPublicAccessState = readOperation<
  GetImageBlockPublicAccessStateRequest,
  GetImageBlockPublicAccessStateResult
>({
  action: 'GetImageBlockPublicAccessState',
  async run({ db, caller, region }) {
    const owner = { accountId: caller.accountId, region }
    const { publicAccess, managers } = await readImageSettings(db, owner)
    return { ImageBlockPublicAccessState: publicAccess, ManagedBy: managers.publicAccess }
  },
})
