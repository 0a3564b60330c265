/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DisableImageDeprecation.html */
import type { DisableImageDeprecationRequest } from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { publicStaysDeprecated } from '../deprecation.ts'
import { ownImage } from '../find.ts'
import { imageBusy } from '../image.ts'
import { setDeprecation } from '../life-store.ts'

export const disableImageDeprecation = writeOperation<
  DisableImageDeprecationRequest,
  { Return: boolean }
>({
  action: 'DisableImageDeprecation',
  async run({ input, tx, caller, region }) {
    const { accountId } = caller
    const image = await ownImage(tx, { accountId, region, id: input.ImageId })
    if (image.isPublic) throw publicStaysDeprecated(image.id)
    if (!(await setDeprecation(tx, image, undefined))) throw imageBusy(image.id)
    return { Return: true }
  },
})
