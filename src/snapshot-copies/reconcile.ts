/**
 * Keeps the promise of a copied snapshot: it is completed when the block store has its
 * disk. Under the same key, or none, that is the source's own, and nothing is pinned: the
 * copy's row names the manifest from before the source could go, and garbage collection
 * asks for what it names. Under another key each block is stored again.
 */
import type { BlockStore } from '../block-store/block-store.ts'
import { type Connections, type Tx, transaction } from '../db/database.ts'
import type { Id } from '../lib/ids.ts'
import { reasonOf } from '../lib/reason-of.ts'
import type { Reconciler, StepOutcome } from '../reconcile/loop.ts'
import type { Snapshot } from '../snapshots/snapshot.ts'
import {
  completeSnapshot,
  failSnapshot,
  findSnapshot,
  setSnapshotProgress,
} from '../snapshots/store.ts'
import { cipherUnder, type OpenDiskKey } from '../volumes/disk-keys.ts'
import type { SnapshotCopy } from './snapshot-copy.ts'
import { findCopy, finishCopy, listCopiesUnderWay } from './store.ts'

const progressEveryMs = 1000

export function snapshotCopyReconciler({
  db,
  blockStore,
  openDiskKey,
  now,
}: {
  readonly db: Connections
  readonly blockStore: Pick<BlockStore, 'hasManifest' | 'beginUpload'>
  readonly openDiskKey: OpenDiskKey
  readonly now: () => Date
}): Reconciler<Id<'snapshot'>> {
  const fail = async (tx: Tx, id: Id<'snapshot'>, message: string) => {
    await failSnapshot(tx, { id, message })
    await finishCopy(tx, id)
  }

  const storeAgain = async (copy: SnapshotCopy, snapshot: Snapshot): Promise<StepOutcome> => {
    const { id, manifest } = copy
    if (snapshot.state !== 'pending') {
      await transaction(db.writes, (tx) => finishCopy(tx, id))
      return 'moved'
    }
    const from = await cipherUnder(copy.sourceKmsKeyArn, openDiskKey)
    const to = await cipherUnder(snapshot.kmsKeyArn, openDiskKey)
    // What it stored is held until the row names it.
    using upload = blockStore.beginUpload(to)
    const abandon = new AbortController()
    let reportedAtMs = now().getTime()
    const onProgress = (doneBytes: number, totalBytes: number) => {
      if (now().getTime() - reportedAtMs < progressEveryMs) return
      reportedAtMs = now().getTime()
      const percent = Math.min(99, Math.floor((100 * doneBytes) / Math.max(1, totalBytes)))
      // Somebody who deletes the copy ends the work.
      const report = setSnapshotProgress(db.writes, { id, percent })
      report.then((isThere) => isThere || abandon.abort()).catch(() => {})
    }
    const options = { onProgress, signal: abandon.signal }
    const saved = await upload
      .copyDisk({ manifest, cipher: from }, options)
      .catch((error: unknown) => {
        if (abandon.signal.aborted) return undefined
        throw error
      })
    if (!saved) return 'moved'
    await transaction(db.writes, async (tx) => {
      await completeSnapshot(tx, {
        id,
        manifest: saved.manifest,
        completedAt: now(),
        parentSnapshotId: undefined,
        fullSizeBytes: copy.fullSizeBytes,
        addedBytes: saved.bytesAdded,
      })
      await finishCopy(tx, id, saved.manifest)
    })
    return 'moved'
  }

  return {
    name: 'snapshot-copies',
    stepsAtOnceMax: 8,
    due: () => listCopiesUnderWay(db.reads),
    async step(id) {
      const snapshot = await findSnapshot(db.writes, id)
      const wanted = await findCopy(db.writes, id)
      if (wanted && snapshot && wanted.sourceKmsKeyArn !== snapshot.kmsKeyArn) {
        return await storeAgain(wanted, snapshot)
      }
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
      const message = reasonOf(error)
      await transaction(db.writes, (tx) => fail(tx, id, message))
    },
  }
}
