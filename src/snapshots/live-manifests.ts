/**
 * Every manifest that something still needs: what garbage collection must not
 * touch. What is on its way in is held by its upload until a row here names it.
 */
import { listBundleDisks } from '../bundles/store.ts'
import type { Database } from '../db/database.ts'
import type { Digest } from '../lib/digest.ts'
import { listParentManifests } from '../ebs-direct/store.ts'
import { listInstanceRoots } from '../instances/root-store.ts'
import { listCopiedManifests } from '../snapshot-copies/store.ts'
import { listVolumeManifests } from '../volumes/store.ts'
import { listSnapshotManifests } from './store.ts'

export async function listLiveManifests(db: Database): Promise<Digest[]> {
  // In this order: what a call passes on meanwhile goes from a snapshot to its copies and volumes,
  // and from an image to its instances.
  const snapshots = await listSnapshotManifests(db)
  const parents = await listParentManifests(db)
  const copies = await listCopiedManifests(db)
  const volumes = await listVolumeManifests(db)
  const bundles = (await listBundleDisks(db)).values()
  const roots = (await listInstanceRoots(db)).values()
  return [...new Set([...snapshots, ...parents, ...copies, ...volumes, ...bundles, ...roots])]
}
