/** Removes a snapshot. Refused while an image lives on it. */
import type { Tx } from '../db/database.ts'
import { listImagesOnSnapshots } from '../images/store.ts'
import type { Id } from '../lib/ids.ts'
import { deleteTagsOf } from '../tags/store.ts'
import { snapshotInUse } from './snapshot.ts'
import { deleteSnapshotRow } from './store.ts'

/**
 * Only the record goes: a volume made of it keeps the content that it needs, an
 * upload under way finds nobody to give its result to.
 */
export async function removeSnapshot(tx: Tx, id: Id<'snapshot'>): Promise<void> {
  const [imageId] = (await listImagesOnSnapshots(tx, [id])).get(id) ?? []
  if (imageId) throw snapshotInUse(id, imageId)
  await deleteSnapshotRow(tx, id)
  await deleteTagsOf(tx, id)
}
