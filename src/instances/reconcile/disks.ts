/** The disks of a machine: what is to be attached or detached, and layers to be merged. */
import { transaction } from '../../db/database.ts'
import { chainOf, topLayer } from '../../qemu/layers.ts'
import type { Machine } from '../../qemu/machine.ts'
import type { StepOutcome } from '../../reconcile/loop.ts'
import { hasPendingSnapshots } from '../../snapshots/store.ts'
import type { Attachment } from '../../volumes/attachment.ts'
import {
  changeAttachmentState,
  changeVolumeState,
  deleteAttachment,
  findVolumeById,
  listAttachments,
} from '../../volumes/store.ts'
import { diskId, diskOf } from '../hardware.ts'
import type { Instance } from '../instance.ts'
import { awaitVolumes, type InstanceDependencies } from './context.ts'

/** A guest has this long to let go of a disk, before it is asked again. */
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
  for (const attachment of attachments) {
    if (attachment.state === 'attached') continue
    const isDone =
      attachment.state === 'attaching'
        ? await attach(attachment, machine, dependencies)
        : await detach(attachment, machine, dependencies)
    if (isDone) outcome = 'moved'
  }
  return outcome
}

async function attach(
  { volumeId }: Attachment,
  machine: Machine | undefined,
  dependencies: InstanceDependencies,
): Promise<boolean> {
  const { db, volumeFolder } = dependencies
  const volume = await findVolumeById(db.reads, volumeId)
  if (!volume || volume.state === 'creating' || volume.state === 'error') return false
  await awaitVolumes(dependencies, [volumeId])
  await machine?.plug(diskOf(volumeId, volumeFolder(volumeId)))
  return await transaction(db.writes, (tx) =>
    changeAttachmentState(tx, { volumeId, from: 'attaching', to: 'attached' }),
  )
}

async function detach(
  { volumeId }: Attachment,
  machine: Machine | undefined,
  { db }: InstanceDependencies,
): Promise<boolean> {
  const outcome = await machine?.unplug(diskId(volumeId), { timeoutMs: unplugMsMax })
  if (outcome === 'pending') return false
  return await transaction(db.writes, async (tx) => {
    await deleteAttachment(tx, volumeId)
    return await changeVolumeState(tx, { id: volumeId, from: 'in-use', to: 'available' })
  })
}

/** Keeps the chains of layers short, where nobody reads the frozen ones. */
export async function mergeLayersOf(
  instance: Instance,
  machine: Machine,
  { db, volumeFolder }: InstanceDependencies,
): Promise<void> {
  const tops = await machine.topLayers()
  for (const { volumeId } of await listAttachments(db.reads, {
    instanceIds: [instance.id],
    states: ['attached'],
  })) {
    const top = tops.get(diskId(volumeId))
    const folder = volumeFolder(volumeId)
    if (top === undefined || top !== (await topLayer(folder))) continue
    const { layers } = await chainOf(folder, top)
    if (layers.length - 1 <= frozenLayersMax) continue
    // A snapshot that is asked for from now on is frozen by this instance's next step.
    const volume = await findVolumeById(db.writes, volumeId)
    if (!volume || (await hasPendingSnapshots(db.writes, volumeId))) continue
    const upTo = Math.min(volume.knownLayer, top - 1)
    if (upTo > 0) await machine.merge({ diskId: diskId(volumeId), folder, upTo })
  }
}
