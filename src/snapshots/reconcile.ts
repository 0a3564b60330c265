/**
 * Keeps the promise of a snapshot: once its freeze is done, brings the blocks
 * that changed into the store. Content comes before row: a crash in between
 * loses only time, since the same blocks are found under the same digests.
 * One whose time in the Recycle Bin is over is forgotten.
 */
import type { BlockStore } from '../block-store/block-store.ts'
import { blockSizeBytes } from '../block-store/block.ts'
import { type Connections, transaction } from '../db/database.ts'
import { listWantedFreezes } from '../freezes/store.ts'
import type { Id } from '../lib/ids.ts'
import { reasonOf } from '../lib/reason-of.ts'
import { mapVolume } from '../qemu/map-volume.ts'
import type { Reconciler } from '../reconcile/loop.ts'
import type { Bases } from '../volumes/bases.ts'
import { baseSourceOf, cipherUnder, keysOfVolume, type OpenDiskKey } from '../volumes/disk-keys.ts'
import { findVolumeById, setKnown } from '../volumes/store.ts'
import { bytesPerGiB } from '../volumes/volume.ts'
import { listExpiredSnapshotIds } from './life-store.ts'
import { expireSnapshot } from './remove.ts'
import type { PendingSnapshot } from './snapshot.ts'
import {
  completeSnapshot,
  failSnapshot,
  findSnapshot,
  listPendingSnapshots,
  setSnapshotProgress,
} from './store.ts'

const progressEveryMs = 1000

export function snapshotReconciler({
  db,
  blockStore,
  bases,
  volumeFolder,
  openDiskKey,
  now,
}: {
  readonly db: Connections
  readonly blockStore: BlockStore
  readonly bases: Pick<Bases, 'isWhole'>
  readonly volumeFolder: (id: Id<'volume'>) => string
  readonly openDiskKey: OpenDiskKey
  readonly now: () => Date
}): Reconciler<Id<'snapshot'>> {
  return {
    name: 'snapshots',
    stepsAtOnceMax: 2,

    async due() {
      const wanted = new Set((await listWantedFreezes(db.reads)).map(({ id }) => id))
      const frozen = (await listPendingSnapshots(db.reads)).filter(
        ({ freezeId, layer }) => layer !== undefined && freezeId && !wanted.has(freezeId),
      )
      const expired = await listExpiredSnapshotIds(db.reads, now())
      return [...firstOfEachVolume(frozen).map(({ id }) => id), ...expired]
    },

    async step(id) {
      const snapshot = await findSnapshot(db.writes, id)
      if (snapshot?.recycledAt) {
        const isGone = await transaction(db.writes, (tx) => expireSnapshot(tx, id, now()))
        return isGone ? 'moved' : 'waiting'
      }
      if (snapshot?.state !== 'pending' || snapshot.layer === undefined) return 'waiting'
      const { layer, volumeId } = snapshot
      const volume = await findVolumeById(db.writes, volumeId)
      if (!volume) {
        const message = `The volume ${volumeId} does not exist any more`
        await transaction(db.writes, (tx) => failSnapshot(tx, { id, message }))
        return 'moved'
      }
      // What was frozen stays as it is until then.
      const source = baseSourceOf(volume)
      if (source && !(await bases.isWhole(source))) return 'waiting'
      const { knownLayer, knownManifest, knownSnapshotId } = volume
      // A snapshot is under the key of its volume, and so is what is known of that.
      const keys = await keysOfVolume(volume, openDiskKey)
      const cipher = await cipherUnder(volume.kmsKeyArn, openDiskKey)
      // What it stored is held until the row names it.
      using upload = blockStore.beginUpload(cipher)
      const isSinceKnown = knownManifest !== undefined && knownLayer <= layer
      const map = await mapVolume(volumeFolder(volumeId), {
        upTo: layer,
        keys,
        ...(isSinceKnown && { since: knownLayer }),
      })
      const { extents, changed } = map
      // A volume that was to grow when the moment was asked for may not have grown yet.
      const sizeBytes = Math.max(map.sizeBytes, snapshot.volumeSizeGiB * bytesPerGiB)
      const since = isSinceKnown && changed ? { manifest: knownManifest, changed } : undefined

      // Somebody who deletes the snapshot ends the upload.
      const abandon = new AbortController()
      using progress = reportProgress({ db, now, id, onGone: () => abandon.abort() })
      const saved = await upload
        .saveDisk(
          { sizeBytes, extents, ...(since && { since }) },
          { onProgress: progress.report, signal: abandon.signal },
        )
        .catch((error: unknown) => {
          if (abandon.signal.aborted) return undefined
          throw error
        })
      if (!saved) return 'moved'
      await transaction(db.writes, async (tx) => {
        const isDone = await completeSnapshot(tx, {
          id,
          manifest: saved.manifest,
          completedAt: now(),
          parentSnapshotId: knownSnapshotId,
          fullSizeBytes: saved.blocks * blockSizeBytes,
          addedBytes: saved.bytesAdded,
        })
        if (!isDone) return
        // What is taken for a copy goes again, and is nobody's parent.
        const snapshotId = snapshot.copyVolumeId ? knownSnapshotId : id
        await setKnown(tx, { id: volumeId, layer, manifest: saved.manifest, snapshotId })
      })
      return 'moved'
    },

    async giveUp(id, error) {
      const message = reasonOf(error)
      await transaction(db.writes, (tx) => failSnapshot(tx, { id, message }))
    },
  }
}

/** Those of one volume come one after another, so that each reads only what is new in it. */
function firstOfEachVolume(snapshots: readonly PendingSnapshot[]): readonly PendingSnapshot[] {
  const first = new Map<Id<'volume'>, PendingSnapshot>()
  for (const snapshot of snapshots) {
    const other = first.get(snapshot.volumeId)
    if (!other || (snapshot.layer ?? 0) < (other.layer ?? 0)) first.set(snapshot.volumeId, snapshot)
  }
  return [...first.values()]
}

/** Writes how far an upload is into the row, now and then. */
function reportProgress({
  db,
  now,
  id,
  onGone,
}: {
  readonly db: Connections
  readonly now: () => Date
  readonly id: Id<'snapshot'>
  readonly onGone: () => void
}): { readonly report: (doneBytes: number, totalBytes: number) => void } & Disposable {
  let isOver = false
  let reportedAtMs = now().getTime()
  const write = async (percent: number) => {
    const isThere = await setSnapshotProgress(db.writes, { id, percent })
    if (!isThere && !isOver) onGone()
  }
  return {
    report(doneBytes, totalBytes) {
      const atMs = now().getTime()
      if (isOver || atMs - reportedAtMs < progressEveryMs) return
      reportedAtMs = atMs
      // That it cannot be written now is no reason to stop; what matters fails by itself.
      write(Math.min(99, Math.floor((100 * doneBytes) / Math.max(1, totalBytes)))).catch(() => {})
    },
    [Symbol.dispose]() {
      isOver = true
    },
  }
}
