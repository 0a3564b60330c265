/**
 * Every manifest that something still needs: what garbage collection must not
 * touch. What is on its way in is held by its upload until a row here names it.
 */
import type { Database } from '../db/database.ts'
import type { Digest } from '../lib/digest.ts'
import { listVolumeManifests } from '../volumes/store.ts'
import { listSnapshotManifests } from './store.ts'

export async function listLiveManifests(db: Database): Promise<Digest[]> {
  const live = [...(await listSnapshotManifests(db)), ...(await listVolumeManifests(db))]
  return [...new Set(live)]
}
