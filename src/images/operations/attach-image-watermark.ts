/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachImageWatermark.html */
import type { AttachImageWatermarkRequest, AttachImageWatermarkResult } from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { ownImage } from '../find.ts'
import { watermarksMax } from '../unknowns.ts'
import { newWatermark, publicImageHasNoWatermark, tooManyWatermarks } from '../watermark.ts'
import { addWatermarks, listWatermarks } from '../watermark-store.ts'

export const attachImageWatermark = writeOperation<
  AttachImageWatermarkRequest,
  AttachImageWatermarkResult
>({
  action: 'AttachImageWatermark',
  async run({ input, tx, caller, region, now }) {
    const { accountId } = caller
    const image = await ownImage(tx, { accountId, region, id: input.ImageId })
    const watermark = newWatermark(accountId, input.WatermarkName ?? '', image, now)
    if (image.isPublic) throw publicImageHasNoWatermark(image.id)
    await addWatermarks(tx, image.id, [watermark])
    const carried = (await listWatermarks(tx, [image.id])).get(image.id) ?? []
    if (carried.length > watermarksMax) throw tooManyWatermarks(image.id)
    return { WatermarkKey: watermark.key }
  },
})
