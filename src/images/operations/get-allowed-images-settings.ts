/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetAllowedImagesSettings.html */
import type {
  GetAllowedImagesSettingsRequest,
  GetAllowedImagesSettingsResult,
} from '@aws-sdk/client-ec2'
import { readOperation } from '../../wire/operation.ts'
import { readImageSettings } from '../held-settings.ts'

export const getAllowedImagesSettings = readOperation<
  GetAllowedImagesSettingsRequest,
  GetAllowedImagesSettingsResult
>({
  action: 'GetAllowedImagesSettings',
  async run({ db, caller, region }) {
    const owner = { accountId: caller.accountId, region }
    const { allowedState, criteria, managers } = await readImageSettings(db, owner)
    const ManagedBy = managers.allowedImages
    return { State: allowedState, ImageCriteria: [...criteria], ManagedBy }
  },
})
