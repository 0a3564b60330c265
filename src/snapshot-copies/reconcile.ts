/**
 * Keeps the promise of a copied snapshot: it is completed when the block store has
 * its disk. Nothing is pinned for that: the copy's own row names the manifest
 * from before the source could go, and garbage collection asks for what it names.
 */
import type { BlockStore } from '../block-store/block-store.ts'
import { type Connections, type Tx, transaction } from '../db/database.ts'
import type { Id } from '../lib/ids.ts'
import type { Reconciler } from '../reconcile/loop.ts'
import { completeSnapshot, failSnapshot } from '../snapshots/store.ts'
import { findCopy, finishCopy, listCopiesUnderWay } from './store.ts'

export function snapshotCopyReconciler({
  db,
  blockStore,
  now,
}: {
  readonly db: Connections
  readonly blockStore: Pick<BlockStore, 'hasManifest'>
  readonly now: () => Date
}): Reconciler<Id<'snapshot'>> {
  const fail = async (tx: Tx, id: Id<'snapshot'>, message: string) => {
    await failSnapshot(tx, { id, message })
    await finishCopy(tx, id)
  }
  return {
    name: 'snapshot-copies',
    stepsAtOnceMax: 8,
    due: () => listCopiesUnderWay(db.reads),
    async step(id) {
      return await transaction(db.writes, async (tx) => {
        const copy = await findCopy(tx, id)
        if (!copy) return 'waiting'
        const { manifest, sourceId, fullSizeBytes } = copy
        if (!blockStore.hasManifest(manifest)) {
          await fail(tx, id, `The disk of ${sourceId} is not in the block store`)
          return 'moved'
        }
        await completeSnapshot(tx, {
          id,
          manifest,
          completedAt: now(),
          parentSnapshotId: undefined,
          fullSizeBytes,
          addedBytes: 0,
        })
        await finishCopy(tx, id)
        return 'moved'
      })
    },
    async giveUp(id, error) {
      const message = error instanceof Error ? error.message : String(error)
      await transaction(db.writes, (tx) => fail(tx, id, message))
    },
  }
}
