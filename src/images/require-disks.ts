/** Refuses to bring back an image whose disks cannot be read: what was archived comes back first, and for good. */
import type { Tx } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import { claimSnapshot } from '../snapshots/life-store.ts'
import { requireCompleted } from '../snapshots/snapshot.ts'
import { findSnapshots } from '../snapshots/store.ts'
import { archivedCode } from '../snapshots/unknowns.ts'
import { type Image, snapshotsOf } from './image.ts'

export async function requireDisks(tx: Tx, image: Image): Promise<void> {
  const ids = snapshotsOf(image)
  // Nobody archives them meanwhile.
  for (const id of ids) await claimSnapshot(tx, id)
  for (const snapshot of await findSnapshots(tx, ids)) {
    const { id, restoreExpiresAt } = requireCompleted(snapshot)
    if (!restoreExpiresAt) continue
    throw new ApiError(
      archivedCode,
      `The snapshot '${id}' is restored for some days only. Restore it permanently first.`,
    )
  }
}
