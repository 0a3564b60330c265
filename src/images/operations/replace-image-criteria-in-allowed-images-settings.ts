/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceImageCriteriaInAllowedImagesSettings.html */
import type { ReplaceImageCriteriaInAllowedImagesSettingsRequest } from '@aws-sdk/client-ec2'
import { requireUndeclared } from '../../organizations/declared.ts'
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
    await requireUndeclared(tx, caller.accountId, 'allowedImages')
    await changeImageSettings(tx, { accountId: caller.accountId, region }, { criteria })
    return { ReturnValue: true }
  },
})
