/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DisableImageBlockPublicAccess.html */
import type {
  DisableImageBlockPublicAccessRequest,
  DisableImageBlockPublicAccessResult,
} from '@aws-sdk/client-ec2'
import { requireUndeclared } from '../../organizations/declared.ts'
import { writeOperation } from '../../wire/operation.ts'
import { changeImageSettings } from '../settings-store.ts'

export const disableImageBlockPublicAccess = writeOperation<
  DisableImageBlockPublicAccessRequest,
  DisableImageBlockPublicAccessResult
>({
  action: 'DisableImageBlockPublicAccess',
  async run({ tx, caller, region }) {
    const publicAccess = 'unblocked'
    await requireUndeclared(tx, caller.accountId, 'imagePublicAccess')
    await changeImageSettings(tx, { accountId: caller.accountId, region }, { publicAccess })
    return { ImageBlockPublicAccessState: publicAccess }
  },
})
