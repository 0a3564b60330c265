/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetAllowedImagesSettings.html */
import type {
  GetAllowedImagesSettingsRequest,
  GetAllowedImagesSettingsResult,
} from '@aws-sdk/client-ec2'
import { readOperation } from '../../wire/operation.ts'
import { findImageSettings } from '../settings-store.ts'

export const getAllowedImagesSettings = readOperation<
  GetAllowedImagesSettingsRequest,
  GetAllowedImagesSettingsResult
>({
  action: 'GetAllowedImagesSettings',
  async run({ db, caller, region }) {
    const owner = { accountId: caller.accountId, region }
    const { allowedState, criteria } = await findImageSettings(db, owner)
    return { State: allowedState, ImageCriteria: [...criteria], ManagedBy: 'account' }
  },
})
