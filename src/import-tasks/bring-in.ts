/** Does the work of an import task: its disks into the block store, then the rows that name them. */
import { blockSizeBytes } from '../block-store/block.ts'
import type { BlockStore } from '../block-store/block-store.ts'
import { StoredDisk as ReadableDisk } from '../block-store/stored-disk.ts'
import type { Upload } from '../block-store/upload.ts'
import type { Buckets } from '../buckets/buckets.ts'
import { type Connections, transaction, type Tx } from '../db/database.ts'
import { findBootMode } from '../imports/boot-mode.ts'
import { obtainContainer } from '../imports/obtain-container.ts'
import { CannotImport, type FetchLimits, type Progress } from '../imports/obtain-disk.ts'
import { findPlatform } from '../imports/platform.ts'
import { publishImage, publishSnapshot, type StoredDisk } from '../imports/publish.ts'
import { inWorkFolder } from '../imports/work-folder.ts'
import type { Id, Kind } from '../lib/ids.ts'
import { usableSnapshot } from '../snapshots/find.ts'
import { requireCompleted } from '../snapshots/snapshot.ts'
import { cipherUnder, type OpenDiskKey } from '../volumes/disk-keys.ts'
import { bytesPerGiB } from '../volumes/volume.ts'
import type { Container } from './container.ts'
import { deviceNamesOf } from './device-names.ts'
import type { ImageRequest, ImportTask, TaskDisk } from './import-task.ts'
import type { TaskProgress } from './progress.ts'
import { changeTask, setTaskResult } from './store.ts'

export interface BringInDependencies {
  readonly db: Connections
  readonly blockStore: BlockStore
  readonly buckets: Pick<Buckets, 'open'>
  /** Where disks lie while they are brought in. */
  readonly workFolder: string
  readonly openDiskKey: OpenDiskKey
  readonly limits: FetchLimits
  readonly now: () => Date
  readonly newId: <K extends Kind>(kind: K) => Id<K>
  /** Aborted when the service closes: what is under way is begun anew after the next start. */
  readonly signal: AbortSignal
}

/** A disk in the block store, and what the task says of it. */
interface Found {
  readonly stored: StoredDisk
  readonly disk: TaskDisk
}

/** Throws `CannotImport` or `ApiError` where it will not work however often it is tried. */
export async function bringIn(
  task: ImportTask,
  deps: BringInDependencies,
  progress: TaskProgress,
): Promise<void> {
  const { db, blockStore, openDiskKey, now } = deps
  // What is stored is held until the rows name it.
  const cipher = await cipherUnder(task.kmsKeyArn, openDiskKey)
  using upload = blockStore.beginUpload(cipher)
  const found: Found[] = []
  for (const [index, container] of task.containers.entries()) {
    const next = await store(task, container, upload, {
      ...deps,
      report: progress.of(index),
      signal: AbortSignal.any([deps.signal, progress.signal]),
    })
    found.push(next)
    progress.know(index, next.disk)
  }
  await progress.close()
  const at = now()
  await transaction(db.writes, async (tx) => {
    const done = { from: 'active', to: 'completed', message: 'completed', endedAt: at } as const
    if (await changeTask(tx, task.id, done)) await publish(tx, task, found, { ...deps, at })
  })
}

/** Brings one disk into the block store. One that is there already is held there. */
async function store(
  { accountId, region, id: taskId, kmsKeyArn }: ImportTask,
  container: Container,
  upload: Upload,
  deps: BringInDependencies & { readonly report: Progress },
): Promise<Found> {
  const { db, blockStore, buckets, workFolder, openDiskKey, limits, signal, report } = deps
  const owner = { accountId, region }
  const { source } = container
  if (source.kind === 'snapshot') {
    const wanted = { ...owner, id: source.snapshotId }
    const snapshot = requireCompleted(await usableSnapshot(db.reads, wanted))
    const { manifest: from, volumeSizeGiB, fullSizeBytes } = snapshot
    const cipher = await cipherUnder(snapshot.kmsKeyArn, openDiskKey)
    upload.hold(from)
    const readable = new ReadableDisk(blockStore, from, async () => cipher)
    const about = { bootMode: await findBootMode(readable), platform: await findPlatform(readable) }
    const sizeBytes = volumeSizeGiB * bytesPerGiB
    const disk = { sizeBytes }
    const same = { sizeBytes, fullSizeBytes, kmsKeyArn, ...about }
    if (snapshot.kmsKeyArn === kmsKeyArn) {
      return { stored: { ...same, manifest: from, addedBytes: 0 }, disk }
    }
    const { manifest, bytesAdded: addedBytes } = await upload.copyDisk(
      { manifest: from, cipher },
      { onProgress: (done, total) => report('storing', done, total), signal },
    )
    return { stored: { ...same, manifest, addedBytes }, disk }
  }
  return await inWorkFolder(workFolder, taskId, async (folder) => {
    const work = { buckets, owner, signal, progress: report, limits }
    const { path, sizeBytes, bootMode, platform, format, fileBytes } = await obtainContainer(
      container,
      folder,
      work,
    )
    const whole = { start: 0, length: sizeBytes, file: path, fileOffset: 0 }
    const saved = await upload.saveDisk(
      { sizeBytes, extents: [whole] },
      { onProgress: (done, total) => report('storing', done, total), signal },
    )
    const { manifest, bytesAdded: addedBytes } = saved
    const fullSizeBytes = saved.blocks * blockSizeBytes
    const stored = { manifest, sizeBytes, fullSizeBytes, addedBytes, bootMode, platform, kmsKeyArn }
    return { stored, disk: { format, fileBytes, sizeBytes } }
  })
}

/** Makes the disks a snapshot or an image, and says so in the task. */
async function publish(
  tx: Tx,
  task: ImportTask,
  found: readonly Found[],
  { newId, at }: Pick<BringInDependencies, 'newId'> & { readonly at: Date },
): Promise<void> {
  const { id, accountId, region, image, containers } = task
  const [root, ...others] = found
  if (!root) throw new CannotImport('there is no disk')
  const owner = { accountId, region }
  const tools = { now: at, newId }
  const finish = async (snapshotIds: readonly Id<'snapshot'>[], imageId?: Id<'image'>) => {
    const disks = found.map(({ disk }, index) => {
      const snapshotId = snapshotIds[index]
      return { ...disk, ...(snapshotId && { snapshotId }) }
    })
    await setTaskResult(tx, id, { disks, imageId })
  }
  if (!image) {
    const description = `Created by AWS-VMImport service for ${id}`
    await finish([await publishSnapshot(tx, owner, description, root.stored, tools)])
    return
  }
  const [rootDeviceName = '', ...names] = deviceNamesOf(containers)
  const made = await publishImage(
    tx,
    owner,
    {
      name: id,
      description: task.description,
      architecture: image.architecture,
      bootMode: image.bootMode,
      isPublic: false,
    },
    { ...root.stored, platform: platformOf(image, root.stored) },
    tools,
    {
      rootDeviceName,
      others: others.map(({ stored }, index) => ({ deviceName: names[index] ?? '', disk: stored })),
    },
  )
  await finish(made.snapshotIds, made.imageId)
}

/** What the call says wins over what the disk looks like. */
function platformOf({ platform }: ImageRequest, found: StoredDisk): 'windows' | undefined {
  if (platform === undefined) return found.platform
  return platform === 'Windows' ? 'windows' : undefined
}
