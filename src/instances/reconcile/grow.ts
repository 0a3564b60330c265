/** The disks of an instance that are to grow: in the machine where there is one, else in their files. */
import type { Machine } from '../../qemu/machine.ts'
import { topLayer } from '../../qemu/layers.ts'
import type { StepOutcome } from '../../reconcile/loop.ts'
import {
  applyModification,
  applyOffline,
  ModificationFailed,
} from '../../volume-modifications/apply.ts'
import type { Modification } from '../../volume-modifications/modification.ts'
import { listModificationsIn } from '../../volume-modifications/store.ts'
import { keysOfVolume } from '../../volumes/disk-keys.ts'
import { findVolumeById, listAttachments } from '../../volumes/store.ts'
import { diskId } from '../hardware.ts'
import type { Instance } from '../instance.ts'
import type { InstanceDependencies } from './context.ts'
import { catchUp } from './disks.ts'

export async function growDisks(
  instance: Instance,
  machine: Machine | undefined,
  dependencies: InstanceDependencies,
): Promise<StepOutcome> {
  const { db } = dependencies
  const owed = await listModificationsIn(db.writes, ['modifying'])
  if (owed.length === 0) return 'waiting'
  const attachments = await listAttachments(db.reads, { instanceIds: [instance.id] })
  let outcome: StepOutcome = 'waiting'
  for (const modification of owed) {
    const { volumeId } = modification
    if (!attachments.some((one) => one.volumeId === volumeId)) continue
    const isDone = await (
      machine
        ? growOnline(modification, machine, dependencies)
        : applyOffline(dependencies, modification)
    ).catch((error: unknown) => {
      throw new ModificationFailed(volumeId, error)
    })
    if (isDone) outcome = 'moved'
  }
  return outcome
}

async function growOnline(
  modification: Modification,
  machine: Machine,
  { db, volumeFolder, openDiskKey }: InstanceDependencies,
): Promise<boolean> {
  const { volumeId } = modification
  const id = diskId(volumeId)
  const written = (await machine.topLayers()).get(id)
  // It is not plugged in yet, or not any more.
  if (written === undefined) return false
  const folder = volumeFolder(volumeId)
  return await applyModification(db, modification, async (sizeBytes) => {
    // A layer that was put on top before is smaller, and would shrink the disk when QEMU came to it.
    const top = await topLayer(folder)
    if (written < top) {
      const volume = await findVolumeById(db.writes, volumeId)
      const keys = volume && (await keysOfVolume(volume, openDiskKey))
      await catchUp(machine, { diskId: id, folder, written, top, keys })
    }
    await machine.resize(id, sizeBytes)
  })
}
