/** Refuses to bring back an image whose disks cannot be read: what was archived comes back first. */
import type { Tx } from '../db/database.ts'
import { claimSnapshot } from '../snapshots/life-store.ts'
import { requireCompleted } from '../snapshots/snapshot.ts'
import { findSnapshots } from '../snapshots/store.ts'
import { type Image, snapshotsOf } from './image.ts'

export async function requireDisks(tx: Tx, image: Image): Promise<void> {
  const ids = snapshotsOf(image)
  // Nobody archives them meanwhile.
  for (const id of ids) await claimSnapshot(tx, id)
  for (const snapshot of await findSnapshots(tx, ids)) requireCompleted(snapshot)
}
