/**
 * The disks that are kept readable for QEMU: those that volumes lie over, and those
 * that an image was launched from, so that its next launch does not wait for them.
 */
import type { Database } from '../db/database.ts'
import { listLaunchedSnapshotIds } from '../images/store.ts'
import { inChunks } from '../lib/chunks.ts'
import type { Digest } from '../lib/digest.ts'
import { findSnapshots } from '../snapshots/store.ts'
import { listBaseManifests } from '../volumes/store.ts'

export async function listWantedBases(db: Database): Promise<ReadonlySet<Digest>> {
  const wanted = new Set(await listBaseManifests(db))
  for (const ids of inChunks(await listLaunchedSnapshotIds(db))) {
    for (const snapshot of await findSnapshots(db, ids)) {
      if (snapshot.state === 'completed') wanted.add(snapshot.manifest)
    }
  }
  return wanted
}
