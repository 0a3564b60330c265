/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DisableAllowedImagesSettings.html */
import type {
  DisableAllowedImagesSettingsRequest,
  DisableAllowedImagesSettingsResult,
} from '@aws-sdk/client-ec2'
import { requireUndeclared } from '../../organizations/declared.ts'
import { writeOperation } from '../../wire/operation.ts'
import { changeImageSettings } from '../settings-store.ts'

export const disableAllowedImagesSettings = writeOperation<
  DisableAllowedImagesSettingsRequest,
  DisableAllowedImagesSettingsResult
>({
  action: 'DisableAllowedImagesSettings',
  async run({ tx, caller, region }) {
    const allowedState = 'disabled'
    await requireUndeclared(tx, caller.accountId, 'allowedImages')
    await changeImageSettings(tx, { accountId: caller.accountId, region }, { allowedState })
    return { AllowedImagesSettingsState: allowedState }
  },
})
