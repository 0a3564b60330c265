/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DisableImageDeregistrationProtection.html */
import type { DisableImageDeregistrationProtectionRequest } from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { ownImage } from '../find.ts'
import { imageBusy } from '../image.ts'
import { setProtection } from '../life-store.ts'
import { changeProtection } from '../protection.ts'

export const disableImageDeregistrationProtection = writeOperation<
  DisableImageDeregistrationProtectionRequest,
  { Return: string }
>({
  action: 'DisableImageDeregistrationProtection',
  async run({ input, tx, caller, region, now }) {
    const { accountId } = caller
    const image = await ownImage(tx, { accountId, region, id: input.ImageId })
    const changed = changeProtection(image, 'disabled', now)
    if (!(await setProtection(tx, image, changed))) throw imageBusy(image.id)
    return { Return: 'true' }
  },
})
