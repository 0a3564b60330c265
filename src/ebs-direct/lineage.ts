/**
 * Whether two snapshots come of one disk: they are of one volume, or one is the
 * ancestor of the other, or both have an ancestor. A parent that was deleted is still
 * known by its id, but what came before it is not.
 */
import type { Database } from '../db/database.ts'
import { type CompletedSnapshot, noVolumeId, type Snapshot } from '../snapshots/snapshot.ts'
import { findSnapshot } from '../snapshots/store.ts'

export async function areRelated(
  db: Database,
  one: CompletedSnapshot,
  other: CompletedSnapshot,
): Promise<boolean> {
  const marks = await marksOf(db, one)
  return [...(await marksOf(db, other))].some((mark) => marks.has(mark))
}

/** The snapshots that it comes from, itself included, and the volumes that those are of. */
async function marksOf(db: Database, snapshot: CompletedSnapshot): Promise<ReadonlySet<string>> {
  const marks = new Set<string>()
  let current: CompletedSnapshot | undefined = snapshot
  while (current && !marks.has(current.id)) {
    marks.add(current.id)
    if (current.volumeId !== noVolumeId) marks.add(current.volumeId)
    const { parentSnapshotId: parentId }: CompletedSnapshot = current
    const parent: Snapshot | undefined = parentId && (await findSnapshot(db, parentId))
    if (parentId && parent?.state !== 'completed') marks.add(parentId)
    current = parent?.state === 'completed' ? parent : undefined
  }
  return marks
}
