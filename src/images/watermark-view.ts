/** Watermarks as EC2 answers them with an image. */
import type { ImageWatermark } from '@aws-sdk/client-ec2'
import type { Watermark } from './watermark.ts'

export function viewWatermarks(watermarks: readonly Watermark[] = []): ImageWatermark[] {
  return watermarks.map((watermark) => ({
    WatermarkKey: watermark.key,
    SourceImageRegion: watermark.sourceImageRegion,
    SourceImageId: watermark.sourceImageId,
    SourceImageCreationTime: watermark.sourceImageCreatedAt,
    WatermarkCreationTime: watermark.createdAt,
  }))
}
