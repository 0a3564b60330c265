/**
 * Frees the blocks and bases that nothing names any more: when it is asked for,
 * and every few minutes. What is named is read from the database after the block
 * store has begun to look, so nothing that a call has just recorded is missed. What was given
 * away of the reserve is kept again then, where there is room.
 */
import type { BlockStore } from '../block-store/block-store.ts'
import type { Connections } from '../db/database.ts'
import type { Reserve } from '../db/reserve.ts'
import { listAllDirectBlocks } from '../ebs-direct/store.ts'
import { messageOf } from '../lib/message-of.ts'
import type { Reconciler } from '../reconcile/loop.ts'
import { findSetting, putSetting } from '../settings/store.ts'
import { listLiveManifests } from '../snapshots/live-manifests.ts'
import type { Bases } from '../volumes/bases.ts'
import { listWantedBases } from './wanted-bases.ts'
import { type Collection, parseCollection } from './garbage.ts'

const everyMs = 10 * 60 * 1000

export function garbageReconciler({
  db,
  blockStore,
  bases,
  reserve,
  now,
}: {
  readonly db: Connections
  readonly blockStore: BlockStore
  readonly bases: Bases
  readonly reserve: Pick<Reserve, 'keep'>
  readonly now: () => Date
}): Reconciler {
  const wanted = async () => Number((await findSetting(db.reads, 'garbage-wanted')) ?? 0)
  return {
    name: 'garbage',
    stepsAtOnceMax: 1,
    async due() {
      const text = await findSetting(db.reads, 'garbage-done')
      const last = text === undefined ? undefined : parseCollection(text)
      const isDue =
        !last || last.number < (await wanted()) || now().getTime() - last.at.getTime() > everyMs
      return isDue ? ['all'] : []
    },
    async step() {
      const number = await wanted()
      const swept = await blockStore.collectGarbage({
        live: () => listLiveManifests(db.writes),
        blocks: () => listAllDirectBlocks(db.reads),
      })
      const basesDeleted = await bases.collect(() => listWantedBases(db.writes))
      const { manifestsDeleted, blocksDeleted, bytesFreed } = swept
      const done: Collection = {
        number,
        at: now(),
        manifestsDeleted,
        blocksDeleted,
        bytesFreed,
        basesDeleted,
      }
      await putSetting(db.writes, 'garbage-done', JSON.stringify(done))
      // It is for want of room alone that it cannot be made, and then there is none to be kept.
      await reserve.keep().catch(() => {})
      return 'moved'
    },
    // Such as while a manifest is damaged: who asked is told, and it is tried again in its time.
    async giveUp(_key, error) {
      const done: Collection = {
        number: await wanted(),
        at: now(),
        manifestsDeleted: 0,
        blocksDeleted: 0,
        bytesFreed: 0,
        basesDeleted: 0,
        problem: messageOf(error),
      }
      await putSetting(db.writes, 'garbage-done', JSON.stringify(done))
    },
  }
}
