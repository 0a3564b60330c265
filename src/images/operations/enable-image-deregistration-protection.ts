/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableImageDeregistrationProtection.html */
import type { EnableImageDeregistrationProtectionRequest } from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { ownImage } from '../find.ts'
import { imageBusy } from '../image.ts'
import { setProtection } from '../life-store.ts'
import { changeProtection } from '../protection.ts'

export const enableImageDeregistrationProtection = writeOperation<
  EnableImageDeregistrationProtectionRequest,
  { Return: string }
>({
  action: 'EnableImageDeregistrationProtection',
  async run({ input, tx, caller, region, now }) {
    const { accountId } = caller
    const image = await ownImage(tx, { accountId, region, id: input.ImageId })
    const changed = changeProtection(
      image,
      input.WithCooldown ? 'enabled-with-cooldown' : 'enabled-without-cooldown',
      now,
    )
    if (!(await setProtection(tx, image, changed))) throw imageBusy(image.id)
    return { Return: 'true' }
  },
})
