/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableImage.html */
import type { EnableImageRequest } from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { ownImage } from '../find.ts'
import { imageUnavailable } from '../image.ts'
import { requireDisks } from '../require-disks.ts'
import { changeImageState } from '../store.ts'

export const enableImage = writeOperation<EnableImageRequest, { Return: boolean }>({
  action: 'EnableImage',
  async run({ input, tx, caller, region, now }) {
    const { accountId } = caller
    const image = await ownImage(tx, { accountId, region, id: input.ImageId })
    const { id, state } = image
    if (state === 'available') return { Return: true }
    const isChanged = await changeImageState(tx, {
      id,
      from: ['disabled'],
      to: 'available',
      at: now,
    })
    if (!isChanged) throw imageUnavailable(id)
    await requireDisks(tx, image)
    return { Return: true }
  },
})
