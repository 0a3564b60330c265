/** The part of the `snapshots` table that says which disk each snapshot is. */
import type { Database } from '../db/database.ts'
import { type Digest, parseDigest } from '../lib/digest.ts'
import type { Id } from '../lib/ids.ts'

/** Of all that are completed, also those in the Recycle Bin. */
export async function listDisksOfSnapshots(
  db: Database,
): Promise<readonly { readonly id: Id<'snapshot'>; readonly manifest: Digest }[]> {
  const rows = await db
    .selectFrom('snapshots')
    .select(['id', 'manifest'])
    .where('manifest', 'is not', null)
    .where('copy_volume_id', 'is', null)
    .execute()
  return rows.flatMap(({ id, manifest }) =>
    manifest === null ? [] : [{ id, manifest: parseDigest(manifest) }],
  )
}
