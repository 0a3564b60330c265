/**
 * The disks that are kept readable for QEMU: those that volumes and roots lie over, those that
 * an image was launched from, so that its next launch does not wait for them, and
 * those whose fast restores are enabled.
 */
import { listBundleDisks } from '../bundles/store.ts'
import type { Database } from '../db/database.ts'
import { listFastRestoresInState } from '../fast-restores/store.ts'
import { findImages, listLaunchedSnapshotIds } from '../images/store.ts'
import { listInstanceRoots } from '../instances/root-store.ts'
import { inChunks } from '../lib/chunks.ts'
import type { Base } from '../qemu/base-files.ts'
import { findSnapshots } from '../snapshots/store.ts'
import { listBases } from '../volumes/store.ts'

export async function listWantedBases(db: Database): Promise<readonly Base[]> {
  const wanted = [...(await listBases(db))]
  const fast = await listFastRestoresInState(db, ['enabling', 'optimizing', 'enabled'])
  const kept = [...(await listLaunchedSnapshotIds(db)), ...fast.map((one) => one.snapshotId)]
  for (const ids of inChunks(kept)) {
    for (const snapshot of await findSnapshots(db, ids)) {
      if (snapshot.state !== 'completed') continue
      wanted.push({ manifest: snapshot.manifest, keyId: snapshot.kmsKeyArn })
    }
  }
  for (const disk of (await listInstanceRoots(db)).values()) wanted.push({ manifest: disk })
  const bundles = await listBundleDisks(db)
  for (const ids of inChunks([...bundles.keys()])) {
    for (const { id, state, lastLaunchedAt } of await findImages(db, ids)) {
      const disk = bundles.get(id)
      if (disk && state === 'available' && lastLaunchedAt) wanted.push({ manifest: disk })
    }
  }
  return wanted
}
