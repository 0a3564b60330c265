/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableImageBlockPublicAccess.html */
import type {
  EnableImageBlockPublicAccessRequest,
  EnableImageBlockPublicAccessResult,
} from '@aws-sdk/client-ec2'
import { invalidParameterValue } from '../../lib/errors.ts'
import { requireUndeclared } from '../../organizations/declared.ts'
import { writeOperation } from '../../wire/operation.ts'
import { changeImageSettings } from '../settings-store.ts'

export const enableImageBlockPublicAccess = writeOperation<
  EnableImageBlockPublicAccessRequest,
  EnableImageBlockPublicAccessResult
>({
  action: 'EnableImageBlockPublicAccess',
  async run({ input, tx, caller, region }) {
    const { ImageBlockPublicAccessState: state = '' } = input
    if (state !== 'block-new-sharing') {
      throw invalidParameterValue(
        'imageBlockPublicAccessState',
        state,
        'It must be block-new-sharing.',
      )
    }
    await requireUndeclared(tx, caller.accountId, 'imagePublicAccess')
    await changeImageSettings(tx, { accountId: caller.accountId, region }, { publicAccess: state })
    return { ImageBlockPublicAccessState: state }
  },
})
