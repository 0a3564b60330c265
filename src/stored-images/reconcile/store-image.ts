/**
 * Keeps the promise of a store task. The object comes before the row: an object that is
 * there and was written for this task is as good as one that was written just now.
 */
import { MissingManifest } from '../../block-store/errors.ts'
import type { BlockStore } from '../../block-store/block-store.ts'
import { type Buckets, NoSuchBucket, ObjectExists } from '../../buckets/buckets.ts'
import type { Connections } from '../../db/database.ts'
import { reasonOf } from '../../lib/reason-of.ts'
import type { Reconciler } from '../../reconcile/loop.ts'
import { findSnapshot } from '../../snapshots/store.ts'
import { cipherUnder, type OpenDiskKey } from '../../volumes/disk-keys.ts'
import { decryptDisks } from '../decrypted-disks.ts'
import { encodeDescription, parseDescription, type StoredDisk } from '../description.ts'
import { everySoOften } from '../progress.ts'
import { BadObject } from '../reading.ts'
import {
  completeStoreTask,
  deleteStoreTask,
  failStoreTask,
  findStoreTask,
  listDueStoreTasks,
  setStoreProgress,
} from '../store.ts'
import { startedBefore, type StoreTask } from '../store-task.ts'
import { readHead, writeObject } from '../stored-object.ts'

export function storeImageReconciler({
  db,
  blockStore,
  buckets,
  openDiskKey,
  now,
  signal,
}: {
  readonly db: Connections
  readonly blockStore: BlockStore
  readonly buckets: Buckets
  readonly openDiskKey: OpenDiskKey
  readonly now: () => Date
  /** Aborted when the service closes: what is under way is begun anew after the next start. */
  readonly signal: AbortSignal
}): Reconciler {
  const openDisk = async ({ snapshotId, manifest }: StoredDisk) => {
    const snapshot = await findSnapshot(db.reads, snapshotId)
    return { manifest, cipher: await cipherUnder(snapshot?.kmsKeyArn, openDiskKey) }
  }
  const write = async (task: StoreTask) => {
    const written = parseDescription(Buffer.from(task.description))
    using upload = blockStore.beginUpload()
    for (const { manifest } of written.disks) upload.hold(manifest)
    const { manifests, source } = await decryptDisks(
      blockStore,
      await Promise.all(written.disks.map(openDisk)),
      signal,
    )
    const disks = written.disks.map((disk, at) => ({
      ...disk,
      manifest: manifests[at] ?? disk.manifest,
    }))
    const isPlain = disks.every(({ manifest }, at) => manifest === written.disks[at]?.manifest)
    const description = isPlain
      ? Buffer.from(task.description)
      : encodeDescription({ ...written, disks })
    const onProgress = everySoOften(now, (percent) => setStoreProgress(db.writes, task.id, percent))
    await buckets.put(task, task.id, (append) =>
      writeObject(append, description, disks, source, { onProgress, signal }),
    )
  }
  return {
    name: 'image-store-tasks',
    stepsAtOnceMax: 1,
    due: () => listDueStoreTasks(db.reads, startedBefore(now())),
    async step(id) {
      const task = await findStoreTask(db.writes, id)
      if (!task) return 'waiting'
      if (task.state !== 'InProgress') {
        if (task.startedAt > startedBefore(now())) return 'waiting'
        await deleteStoreTask(db.writes, id)
        return 'moved'
      }
      try {
        if (await isWritten(buckets, task)) await buckets.discard(task, task.id)
        else await write(task)
        await completeStoreTask(db.writes, id)
      } catch (error) {
        if (signal.aborted) return 'waiting'
        const isFinal =
          error instanceof NoSuchBucket ||
          error instanceof ObjectExists ||
          error instanceof MissingManifest
        if (!isFinal) throw error
        await failStoreTask(db.writes, id, error.message)
      }
      return 'moved'
    },
    async giveUp(id, error) {
      const task = await findStoreTask(db.writes, id)
      if (task) await buckets.discard(task, task.id)
      await failStoreTask(db.writes, id, reasonOf(error))
    },
  }
}

/** Whether an earlier run of this task came so far. An object has its name only when it is whole. */
async function isWritten(buckets: Buckets, task: StoreTask): Promise<boolean> {
  await using object = await buckets.open(task)
  if (!object) return false
  try {
    return (await readHead(object)).description.task === task.id
  } catch (error) {
    if (error instanceof BadObject) return false
    throw error
  }
}
