/**
 * Keeps the promises about snapshots that are written block by block: one that
 * is complete gets its manifest, and one that nobody writes any more fails. The
 * blocks were synced before the calls that brought them were answered.
 */
import { type BlockKey, blockSizeBytes, keyOf, zeroKey } from '../block-store/block.ts'
import type { BlockStore } from '../block-store/block-store.ts'
import { keyAt, manifestOf } from '../block-store/manifest.ts'
import { type Connections, type Tx, transaction } from '../db/database.ts'
import type { Id } from '../lib/ids.ts'
import { reasonOf } from '../lib/reason-of.ts'
import type { Reconciler } from '../reconcile/loop.ts'
import type { PendingSnapshot } from '../snapshots/snapshot.ts'
import { completeSnapshot, failSnapshot, findSnapshot } from '../snapshots/store.ts'
import { cipherUnder, type OpenDiskKey } from '../volumes/disk-keys.ts'
import { type DirectSnapshot, hasTimedOut } from './direct-snapshot.ts'
import {
  findDirectSnapshot,
  finishDirectSnapshot,
  listDirectBlocks,
  listDueDirectSnapshots,
} from './store.ts'

export function directSnapshotReconciler({
  db,
  blockStore,
  openDiskKey,
  now,
}: {
  readonly db: Connections
  readonly blockStore: Pick<BlockStore, 'beginUpload' | 'readManifest'>
  readonly openDiskKey: OpenDiskKey
  readonly now: () => Date
}): Reconciler<Id<'snapshot'>> {
  const fail = async (tx: Tx, id: Id<'snapshot'>, message: string) => {
    await failSnapshot(tx, { id, message })
    await finishDirectSnapshot(tx, id)
  }

  const seal = async (
    { id, parentManifest, parentSnapshotId }: DirectSnapshot,
    { volumeSizeGiB, kmsKeyArn }: PendingSnapshot,
  ) => {
    const cipher = await cipherUnder(kmsKeyArn, openDiskKey)
    // What it names is held until the row names it.
    using upload = blockStore.beginUpload(cipher)
    const blocks = new Map<number, BlockKey>()
    if (parentManifest !== undefined) {
      upload.hold(parentManifest)
      const parent = await blockStore.readManifest(parentManifest, cipher)
      for (const [position, index] of parent.indexes.entries()) {
        blocks.set(index, keyAt(parent, position))
      }
    }
    let addedBytes = 0
    for await (const block of listDirectBlocks(db.reads, id)) {
      const key = keyOf(block.digest)
      if (key === zeroKey) blocks.delete(block.index)
      else blocks.set(block.index, key)
      addedBytes += block.addedBytes
    }
    const manifest = await upload.putManifest(manifestOf(volumeSizeGiB * 2 ** 30, blocks))
    await transaction(db.writes, async (tx) => {
      const fullSizeBytes = blocks.size * blockSizeBytes
      const made = { id, manifest, parentSnapshotId, fullSizeBytes, addedBytes }
      await completeSnapshot(tx, { ...made, completedAt: now() })
      await finishDirectSnapshot(tx, id)
    })
  }

  return {
    name: 'direct-snapshots',
    stepsAtOnceMax: 2,
    due: () => listDueDirectSnapshots(db.reads, now()),
    async step(id) {
      const direct = await findDirectSnapshot(db.writes, id)
      const snapshot = await findSnapshot(db.writes, id)
      if (!direct || direct.state === 'done' || snapshot?.state !== 'pending') return 'waiting'
      if (direct.state === 'sealing') {
        await seal(direct, snapshot)
        return 'moved'
      }
      return await transaction(db.writes, async (tx) => {
        // A block may have come meanwhile.
        const open = await findDirectSnapshot(tx, id)
        if (!open || !hasTimedOut(open, now())) return 'waiting'
        const message = `No block was written for ${open.timeoutMinutes} minutes, and it was not completed`
        await fail(tx, id, message)
        return 'moved'
      })
    },
    async giveUp(id, error) {
      const message = reasonOf(error)
      await transaction(db.writes, (tx) => fail(tx, id, message))
    },
  }
}
