/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RestoreImageFromRecycleBin.html */
import type { RestoreImageFromRecycleBinRequest } from '@aws-sdk/client-ec2'
import { unmarkRecycled } from '../../recycle-bin/mark.ts'
import { writeOperation } from '../../wire/operation.ts'
import { imagesNotFound, parseImageId } from '../image.ts'
import { listRecycledImages } from '../life-store.ts'
import { requireDisks } from '../require-disks.ts'
import { changeImageState, requireFreeName } from '../store.ts'

export const restoreImageFromRecycleBin = writeOperation<
  RestoreImageFromRecycleBinRequest,
  { Return: boolean }
>({
  action: 'RestoreImageFromRecycleBin',
  async run({ input, tx, caller, region, now }) {
    const { accountId } = caller
    const id = parseImageId(input.ImageId ?? '')
    const [image] = await listRecycledImages(tx, { accountId, region, ids: [id] })
    if (!image) throw imagesNotFound([id])
    await requireFreeName(tx, image)
    const isChanged = await changeImageState(tx, {
      id,
      from: ['recycled'],
      to: 'available',
      at: now,
    })
    if (!isChanged) throw imagesNotFound([id])
    await unmarkRecycled(tx, image)
    await requireDisks(tx, image)
    return { Return: true }
  },
})
