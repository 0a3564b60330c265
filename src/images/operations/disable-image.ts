/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DisableImage.html */
import type { DisableImageRequest } from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { ownImage } from '../find.ts'
import { imageUnavailable } from '../image.ts'
import { removeLaunchPermissions } from '../permission-store.ts'
import { changeImageState } from '../store.ts'

export const disableImage = writeOperation<DisableImageRequest, { Return: boolean }>({
  action: 'DisableImage',
  async run({ input, tx, caller, region, now }) {
    const { accountId } = caller
    const { id, state } = await ownImage(tx, { accountId, region, id: input.ImageId })
    if (state === 'disabled') return { Return: true }
    const isChanged = await changeImageState(tx, {
      id,
      from: ['available'],
      to: 'disabled',
      at: now,
    })
    if (!isChanged) throw imageUnavailable(id)
    // They do not come back when it is enabled again.
    await removeLaunchPermissions(tx, id)
    return { Return: true }
  },
})
