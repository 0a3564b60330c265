/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableAllowedImagesSettings.html */
import type {
  EnableAllowedImagesSettingsRequest,
  EnableAllowedImagesSettingsResult,
} from '@aws-sdk/client-ec2'
import { invalidParameterValue } from '../../lib/errors.ts'
import { requireUndeclared } from '../../organizations/declared.ts'
import { writeOperation } from '../../wire/operation.ts'
import { changeImageSettings } from '../settings-store.ts'

export const enableAllowedImagesSettings = writeOperation<
  EnableAllowedImagesSettingsRequest,
  EnableAllowedImagesSettingsResult
>({
  action: 'EnableAllowedImagesSettings',
  async run({ input, tx, caller, region }) {
    const { AllowedImagesSettingsState: state } = input
    if (state !== 'enabled' && state !== 'audit-mode') {
      throw invalidParameterValue(
        'allowedImagesSettingsState',
        state ?? '',
        'It must be enabled or audit-mode.',
      )
    }
    await requireUndeclared(tx, caller.accountId, 'allowedImages')
    await changeImageSettings(tx, { accountId: caller.accountId, region }, { allowedState: state })
    return { AllowedImagesSettingsState: state }
  },
})
