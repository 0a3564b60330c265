/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachImageWatermark.html */
import type { DetachImageWatermarkRequest, DetachImageWatermarkResult } from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { ownImage } from '../find.ts'
import { checkWatermarkKey } from '../watermark.ts'
import { removeWatermark } from '../watermark-store.ts'

export const detachImageWatermark = writeOperation<
  DetachImageWatermarkRequest,
  DetachImageWatermarkResult
>({
  action: 'DetachImageWatermark',
  async run({ input, tx, caller, region }) {
    const { WatermarkKey: key = '' } = input
    const { id } = await ownImage(tx, { accountId: caller.accountId, region, id: input.ImageId })
    checkWatermarkKey(key)
    await removeWatermark(tx, id, key)
    return { Return: true }
  },
})
