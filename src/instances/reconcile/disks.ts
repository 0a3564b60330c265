/** The disks of a machine: what is to be attached or detached, and layers to be merged. */
import { transaction } from '../../db/database.ts'
import { holdVolumes, isFreezeWanted } from '../../freezes/offline.ts'
import { reasonOf } from '../../lib/reason-of.ts'
import { NoFreePort } from '../../qemu/disks.ts'
import { chainOf, hasMergedLayers, removeMergedLayers, topLayer } from '../../qemu/layers.ts'
import { KeyUnusable } from '../../kms/key-trouble.ts'
import type { Id } from '../../lib/ids.ts'
import type { Machine } from '../../qemu/machine.ts'
import type { DiskKeys } from '../../qemu/luks.ts'
import { QmpGone } from '../../qemu/qmp.ts'
import type { StepOutcome } from '../../reconcile/loop.ts'
import { hasPendingSnapshots } from '../../snapshots/store.ts'
import type { Attachment } from '../../volumes/attachment.ts'
import { keysOfVolume } from '../../volumes/disk-keys.ts'
import {
  changeAttachmentState,
  changeVolumeState,
  deleteAttachment,
  findVolumeById,
  listAttachments,
} from '../../volumes/store.ts'
import { diskId, diskOf } from '../hardware.ts'
import type { Instance } from '../instance.ts'
import type { InstanceDependencies } from './context.ts'

/** A guest has this long to let go of a disk, before it is asked again or, by force, not asked any more. */
const unplugMsMax = 5_000

/** More frozen layers than this are merged into one. */
const frozenLayersMax = 4

/** Attaches and detaches what is owed. Without a machine, the records are all there is to it. */
export async function settleAttachments(
  instance: Instance,
  machine: Machine | undefined,
  dependencies: InstanceDependencies,
): Promise<StepOutcome> {
  const { db } = dependencies
  const attachments = await listAttachments(db.reads, { instanceIds: [instance.id] })
  let outcome: StepOutcome = 'waiting'
  let failure: AttachFailed | undefined
  for (const attachment of attachments) {
    if (attachment.state === 'attached') continue
    const settle = attachment.state === 'attaching' ? attach : detach
    try {
      if (await settle(attachment, machine, dependencies)) outcome = 'moved'
    } catch (error) {
      // The others need not wait for this one.
      if (!(error instanceof AttachFailed)) throw error
      failure ??= error
    }
  }
  if (failure) throw failure
  return outcome
}

/** A disk could not be plugged in. Whoever gives up on it takes it back by `abandonAttachment`. */
export class AttachFailed extends Error {
  readonly volumeId: Id<'volume'>

  constructor(volumeId: Id<'volume'>, cause: unknown) {
    super(reasonOf(cause), { cause })
    this.name = 'AttachFailed'
    this.volumeId = volumeId
  }
}

/** An attachment that will not come about: what there is of it is detached, as if it was asked for. */
export async function abandonAttachment(
  { volumeId, cause, message: failure }: AttachFailed,
  { db, log }: InstanceDependencies,
): Promise<void> {
  log.warn('a volume cannot be attached', { volumeId, error: cause })
  await transaction(db.writes, (tx) =>
    changeAttachmentState(tx, { volumeId, from: 'attaching', to: 'detaching', failure }),
  )
}

async function attach(
  { volumeId }: Attachment,
  machine: Machine | undefined,
  dependencies: InstanceDependencies,
): Promise<boolean> {
  const { db, volumeFolder, openDiskKey, baseSocket } = dependencies
  const volume = await findVolumeById(db.reads, volumeId)
  if (!volume || volume.state === 'creating' || volume.state === 'error') return false
  try {
    await holdVolumes(dependencies.lanes, [volumeId], async () => {
      const keys = await keysOfVolume(volume, openDiskKey)
      const disk = diskOf(volumeId, volumeFolder(volumeId), keys)
      await machine?.plug({ ...disk, baseSocket }, { timeoutMs: unplugMsMax })
    })
  } catch (error) {
    // What is known of a machine that is gone is nothing of the disk.
    if (error instanceof QmpGone) throw error
    const failure = new AttachFailed(volumeId, error)
    if (!(error instanceof NoFreePort)) throw failure
    await abandonAttachment(failure, dependencies)
    return true
  }
  return await transaction(db.writes, (tx) =>
    changeAttachmentState(tx, { volumeId, from: 'attaching', to: 'attached' }),
  )
}

async function detach(
  { volumeId, isDetachForced }: Attachment,
  machine: Machine | undefined,
  { db, volumeFolder }: InstanceDependencies,
): Promise<boolean> {
  const disk = { id: diskId(volumeId), folder: volumeFolder(volumeId) }
  const outcome = await machine?.unplug(disk, {
    timeoutMs: unplugMsMax,
    isForced: isDetachForced,
  })
  if (outcome === 'pending') return false
  return await transaction(db.writes, async (tx) => {
    // A moment that was asked for meanwhile is taken first, while nobody else can have the volume.
    if (await isFreezeWanted(tx, [volumeId])) return true
    await deleteAttachment(tx, volumeId)
    return await changeVolumeState(tx, { id: volumeId, from: 'in-use', to: 'available' })
  })
}

/** Removes what a merge that ended with its machine has left of a volume. */
export async function tidyVolume(
  id: Id<'volume'>,
  { db, lanes, volumeFolder }: InstanceDependencies,
): Promise<void> {
  await lanes.hold(`volume/${id}`, async () => {
    const volume = await findVolumeById(db.reads, id)
    if (volume?.state === 'in-use') await removeMergedLayers(volumeFolder(id))
  })
}

/**
 * Has QEMU write the top layer. It is left behind where a freeze was cut off
 * whose snapshots then were deleted, so that nobody waited for it any more.
 */
export async function catchUp(
  machine: Machine,
  disk: {
    readonly diskId: string
    readonly folder: string
    readonly written: number
    readonly top: number
    readonly keys: DiskKeys | undefined
  },
): Promise<void> {
  const { diskId: id, folder, written, top, keys } = disk
  for (let layer = written + 1; layer <= top; layer++) {
    await machine.freeze([{ diskId: id, folder, layer, keys }])
  }
}

function orUnusable(error: unknown): 'unusable' {
  if (error instanceof KeyUnusable) return 'unusable'
  throw error
}

/**
 * Keeps the chains of layers short, where nobody reads the frozen ones. Tells
 * whether that was all: one that is read now is to be looked at again.
 */
export async function mergeLayersOf(
  instance: Instance,
  machine: Machine,
  { db, volumeFolder, openDiskKey }: InstanceDependencies,
): Promise<boolean> {
  let isAll = true
  const tops = await machine.topLayers()
  for (const { volumeId } of await listAttachments(db.reads, {
    instanceIds: [instance.id],
    states: ['attached'],
  })) {
    const written = tops.get(diskId(volumeId))
    if (written === undefined) continue
    const folder = volumeFolder(volumeId)
    const top = await topLayer(folder)
    if (written < top) {
      const behind = await findVolumeById(db.writes, volumeId)
      const keys = behind && (await keysOfVolume(behind, openDiskKey).catch(orUnusable))
      // It reads the same in the layer that QEMU writes, until the key can be used again.
      if (keys === 'unusable') {
        isAll = false
        continue
      }
      await catchUp(machine, { diskId: diskId(volumeId), folder, written, top, keys })
    }
    const chain = await chainOf(folder, top)
    const isShort = chain.layers.length - 1 <= frozenLayersMax
    if (isShort && !(await hasMergedLayers(folder, chain))) continue
    // A snapshot that is asked for from now on is frozen by this instance's next step.
    const volume = await findVolumeById(db.writes, volumeId)
    if (!volume) continue
    if (await hasPendingSnapshots(db.writes, volumeId)) {
      isAll = false
      continue
    }
    const upTo = Math.min(volume.knownLayer, top - 1)
    if (upTo > 0) await machine.merge({ diskId: diskId(volumeId), folder, upTo })
  }
  return isAll
}
