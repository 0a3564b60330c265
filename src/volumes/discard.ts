/**
 * Deletes a volume that is attached to nothing any more: for good, or into the Recycle Bin
 * where a rule retains it. Its instance has ended, its root was replaced, or somebody asks for it.
 */
import type { Database, Tx } from '../db/database.ts'
import { markRecycled } from '../recycle-bin/mark.ts'
import { recycleExit } from '../recycle-bin/retention.ts'
import { recycleVolume } from './life-store.ts'
import { changeVolumeState } from './store.ts'
import type { Volume } from './volume.ts'

type Discarded = Pick<Volume, 'id' | 'accountId' | 'region'>

/** Tells whether it was there to be deleted. What could not be made is not retained. */
export async function discardVolume(tx: Tx, volume: Discarded, now: Date): Promise<boolean> {
  const { id } = volume
  const exitAt = await exitOf(tx, volume, now)
  if (exitAt) {
    if (await recycleVolume(tx, id, { at: now, exitAt })) {
      await markRecycled(tx, volume, 'volume')
      return true
    }
  }
  const from = ['available', 'error'] as const
  return await changeVolumeState(tx, { id, from, to: 'deleting' })
}

/** Tells whether a rule would retain it. */
export async function isRetained(db: Database, volume: Discarded, now: Date): Promise<boolean> {
  return (await exitOf(db, volume, now)) !== undefined
}

const exitOf = (db: Database, { id, accountId, region }: Discarded, now: Date) =>
  recycleExit(db, { resourceType: 'EBS_VOLUME', id, accountId, region, now })
