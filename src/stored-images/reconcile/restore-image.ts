/**
 * Keeps the promise of a restored image: reads its object into the block store, then
 * completes its snapshots, all at once. What a damaged object has brought in until
 * then is named by nothing, and goes with the next garbage.
 */
import { blockSizeBytes } from '../../block-store/block.ts'
import type { BlockStore } from '../../block-store/block-store.ts'
import type { Buckets } from '../../buckets/buckets.ts'
import { type Connections, transaction } from '../../db/database.ts'
import { changeImageState, findImage } from '../../images/store.ts'
import type { Digest } from '../../lib/digest.ts'
import type { Id } from '../../lib/ids.ts'
import { reasonOf } from '../../lib/reason-of.ts'
import type { Reconciler } from '../../reconcile/loop.ts'
import {
  completeSnapshot,
  failSnapshot,
  findSnapshot,
  setSnapshotProgress,
} from '../../snapshots/store.ts'
import { cipherUnder, type OpenDiskKey } from '../../volumes/disk-keys.ts'
import { everySoOften } from '../progress.ts'
import { BadObject } from '../reading.ts'
import { deleteRestore, findRestore, listRestores } from '../store.ts'
import type { Restore } from '../store-task.ts'
import { readHead, readObject } from '../stored-object.ts'
import { restoreFailedCode } from '../unknowns.ts'

export function restoreImageReconciler({
  db,
  blockStore,
  buckets,
  openDiskKey,
  now,
  signal,
}: {
  readonly db: Connections
  readonly blockStore: Pick<BlockStore, 'beginUpload'>
  readonly buckets: Pick<Buckets, 'open'>
  readonly openDiskKey: OpenDiskKey
  readonly now: () => Date
  /** Aborted when the service closes: what is under way is begun anew after the next start. */
  readonly signal: AbortSignal
}): Reconciler<Id<'image'>> {
  const bringIn = async (restore: Restore) => {
    const { imageId, snapshotIds } = restore
    using upload = blockStore.beginUpload()
    await using object = await buckets.open(restore)
    if (!object) throw new BadObject('it is gone')
    const head = await readHead(object)
    if (head.digest !== restore.descriptionDigest) throw new BadObject('it is another one now')
    // Who deregisters the image meanwhile ends the work.
    const abandoned = new AbortController()
    const onProgress = everySoOften(now, async (percent) => {
      for (const id of snapshotIds) await setSnapshotProgress(db.writes, { id, percent })
      if ((await findImage(db.reads, imageId))?.state !== 'pending') abandoned.abort()
    })
    const first = snapshotIds[0] && (await findSnapshot(db.reads, snapshotIds[0]))
    const cipher = first && (await cipherUnder(first.kmsKeyArn, openDiskKey))
    const { disks, addedBytes } = await readObject(object, head, upload, {
      onProgress,
      signal: AbortSignal.any([signal, abandoned.signal]),
    }).catch((error: unknown) => {
      throw abandoned.signal.aborted ? new BadObject('nobody waits for it any more') : error
    })
    // What is to be encrypted is stored again, and what came in is named by nothing.
    using sealing = blockStore.beginUpload(cipher)
    const manifests = new Map<Digest, Digest>()
    for (const { manifest } of cipher ? disks : []) {
      const sealed = await sealing.copyDisk({ manifest, cipher: undefined }, { signal })
      manifests.set(manifest, sealed.manifest)
    }
    await transaction(db.writes, async (tx) => {
      for (const [position, { manifest, blocks }] of disks.entries()) {
        const id = snapshotIds[position]
        if (!id) continue
        await completeSnapshot(tx, {
          id,
          manifest: manifests.get(manifest) ?? manifest,
          completedAt: now(),
          parentSnapshotId: undefined,
          fullSizeBytes: blocks * blockSizeBytes,
          // What was new is told of the first one: which disk brought it is nobody's to say.
          addedBytes: position === 0 ? addedBytes : 0,
        })
      }
      await deleteRestore(tx, imageId)
    })
  }
  const fail = async (imageId: Id<'image'>, message: string) => {
    await transaction(db.writes, async (tx) => {
      const restore = await findRestore(tx, imageId)
      for (const id of restore?.snapshotIds ?? []) await failSnapshot(tx, { id, message })
      const reason = { code: restoreFailedCode, message: `${restoreFailedCode}: ${message}` }
      const change = { id: imageId, from: ['pending'], to: 'failed', at: now(), reason } as const
      await changeImageState(tx, change)
      await deleteRestore(tx, imageId)
    })
  }
  return {
    name: 'image-restores',
    stepsAtOnceMax: 1,
    due: () => listRestores(db.reads),
    async step(imageId) {
      const restore = await findRestore(db.writes, imageId)
      if (!restore) return 'waiting'
      if ((await findImage(db.writes, imageId))?.state !== 'pending') {
        await fail(imageId, 'The image was deregistered')
        return 'moved'
      }
      try {
        await bringIn(restore)
      } catch (error) {
        if (signal.aborted) return 'waiting'
        if (!(error instanceof BadObject)) throw error
        await fail(imageId, error.message)
      }
      return 'moved'
    },
    giveUp: (imageId, error) => fail(imageId, reasonOf(error)),
  }
}
