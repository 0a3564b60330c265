/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceImageCriteriaInAllowedImagesSettings.html */
import type { ReplaceImageCriteriaInAllowedImagesSettingsRequest } from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { readCriteria } from '../criterion.ts'
import { changeImageSettings } from '../settings-store.ts'

export const replaceImageCriteriaInAllowedImagesSettings = writeOperation<
  ReplaceImageCriteriaInAllowedImagesSettingsRequest,
  { ReturnValue: boolean }
>({
  action: 'ReplaceImageCriteriaInAllowedImagesSettings',
  async run({ input, tx, caller, region }) {
    const criteria = readCriteria(input.ImageCriteria)
    await changeImageSettings(tx, { accountId: caller.accountId, region }, { criteria })
    return { ReturnValue: true }
  },
})
