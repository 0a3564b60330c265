/** The `image_bundles` table: the disks of instance-store images. Nothing else reads or writes it. */
import type { Selectable } from 'kysely'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import { type Digest, parseDigest } from '../lib/digest.ts'
import type { Id } from '../lib/ids.ts'
import type { ImageBundle } from './bundle.ts'

export async function insertBundle(tx: Tx, bundle: ImageBundle): Promise<void> {
  const { imageId, source, disk, sizeBytes } = bundle
  await tx
    .insertInto('image_bundles')
    .values({
      image_id: imageId,
      bucket: source?.bucket ?? null,
      object_key: source?.key ?? null,
      bundle_digest: source?.digest ?? null,
      disk_manifest: disk ?? null,
      size_bytes: sizeBytes,
    })
    .execute()
}

export async function findImageBundle(
  db: Database,
  imageId: Id<'image'>,
): Promise<ImageBundle | undefined> {
  const row = await db
    .selectFrom('image_bundles')
    .selectAll()
    .where('image_id', '=', imageId)
    .executeTakeFirst()
  return row && fromRow(row)
}

/** The same, for one who is to name the disk too: until then it cannot be removed. */
export async function claimBundle(tx: Tx, imageId: Id<'image'>): Promise<ImageBundle | undefined> {
  const row = await tx
    .updateTable('image_bundles')
    .set({ image_id: imageId })
    .where('image_id', '=', imageId)
    .returningAll()
    .executeTakeFirst()
  return row && fromRow(row)
}

/** The images whose disks are still to be brought in. */
export async function listDueBundles(db: Database): Promise<readonly Id<'image'>[]> {
  const rows = await db
    .selectFrom('image_bundles')
    .select('image_id')
    .where('disk_manifest', 'is', null)
    .orderBy('image_id')
    .execute()
  return rows.map((row) => row.image_id)
}

/** Names the disk. Tells whether anybody waited for it. */
export async function completeBundle(
  tx: Tx,
  done: { readonly imageId: Id<'image'>; readonly disk: Digest },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('image_bundles')
    .set({ disk_manifest: done.disk })
    .where('image_id', '=', done.imageId)
    .where('disk_manifest', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** From then on nothing can be launched from it, and its disk may go. */
export async function deleteBundle(tx: Tx, imageId: Id<'image'>): Promise<void> {
  await tx.deleteFrom('image_bundles').where('image_id', '=', imageId).execute()
}

/** Every disk that an image has, by its image. */
export async function listBundleDisks(db: Database): Promise<ReadonlyMap<Id<'image'>, Digest>> {
  const rows = await db
    .selectFrom('image_bundles')
    .select(['image_id', 'disk_manifest'])
    .where('disk_manifest', 'is not', null)
    .execute()
  return new Map(rows.map((row) => [row.image_id, parseDigest(row.disk_manifest ?? '')]))
}

function fromRow(row: Selectable<Tables['image_bundles']>): ImageBundle {
  const { bucket, object_key: key, bundle_digest: digest, disk_manifest: disk } = row
  return {
    imageId: row.image_id,
    source:
      bucket === null || key === null || digest === null
        ? undefined
        : { bucket, key, digest: parseDigest(digest) },
    disk: disk === null ? undefined : parseDigest(disk),
    sizeBytes: row.size_bytes,
  }
}
