/** The `image_watermarks` table. Nothing else reads or writes it. */
import type { Database, Tx } from '../db/database.ts'
import { inChunks } from '../lib/chunks.ts'
import type { Id } from '../lib/ids.ts'
import type { Watermark } from './watermark.ts'

/** Puts watermarks on an image. One that it carries already stays as it is. */
export async function addWatermarks(
  tx: Tx,
  imageId: Id<'image'>,
  watermarks: readonly Watermark[],
): Promise<void> {
  if (watermarks.length === 0) return
  await tx
    .insertInto('image_watermarks')
    .values(
      watermarks.map((watermark) => ({
        image_id: imageId,
        watermark_key: watermark.key,
        source_image_id: watermark.sourceImageId,
        source_image_region: watermark.sourceImageRegion,
        source_image_created_at_ms: watermark.sourceImageCreatedAt.getTime(),
        created_at_ms: watermark.createdAt.getTime(),
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Lets an image carry what the one that it is made of carries. */
export async function carryWatermarks(
  tx: Tx,
  made: { readonly from: Id<'image'> | undefined; readonly to: Id<'image'> },
): Promise<void> {
  const { from, to } = made
  if (from) await addWatermarks(tx, to, (await listWatermarks(tx, [from])).get(from) ?? [])
}

/** Takes one watermark off an image, if it is there. */
export async function removeWatermark(tx: Tx, imageId: Id<'image'>, key: string): Promise<void> {
  await tx
    .deleteFrom('image_watermarks')
    .where('image_id', '=', imageId)
    .where('watermark_key', '=', key)
    .execute()
}

/** What each of the images carries, in the order of keys. */
export async function listWatermarks(
  db: Database,
  imageIds: readonly Id<'image'>[],
): Promise<ReadonlyMap<Id<'image'>, readonly Watermark[]>> {
  const found = new Map<Id<'image'>, Watermark[]>()
  for (const ids of inChunks(imageIds)) {
    const rows = await db
      .selectFrom('image_watermarks')
      .selectAll()
      .where('image_id', 'in', ids)
      .orderBy('watermark_key')
      .execute()
    for (const row of rows) {
      const watermark: Watermark = {
        key: row.watermark_key,
        sourceImageId: row.source_image_id,
        sourceImageRegion: row.source_image_region,
        sourceImageCreatedAt: new Date(row.source_image_created_at_ms),
        createdAt: new Date(row.created_at_ms),
      }
      const ofImage = found.get(row.image_id)
      if (ofImage) ofImage.push(watermark)
      else found.set(row.image_id, [watermark])
    }
  }
  return found
}
