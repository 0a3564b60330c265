/** Machines that read bases from us, which were no files yet when they opened them. */
import { isKeyUnusable } from '../../kms/key-trouble.ts'
import type { Machine } from '../../qemu/machine.ts'
import { keysOfVolume } from '../../volumes/disk-keys.ts'
import { findVolumeById, listAttachments } from '../../volumes/store.ts'
import { diskId, diskOf, hostDiskOf } from '../hardware.ts'
import type { Instance } from '../instance.ts'
import type { InstanceDependencies } from './context.ts'

/** Has them read from the files that are there by now. Tells whether none is read from us any more. */
export async function takeBases(
  { id }: Instance,
  machine: Machine,
  { db, volumeFolder, rootFolder, openDiskKey, baseSocket }: InstanceDependencies,
): Promise<boolean> {
  const served = await machine.servedDisks()
  if (served.length === 0) return true
  const root = hostDiskOf(id, rootFolder(id))
  let isAll = true
  if (served.includes(root.id)) {
    isAll &&= await machine.takeBase({ ...root, baseSocket })
  }
  for (const { volumeId } of await listAttachments(db.reads, { instanceIds: [id] })) {
    if (!served.includes(diskId(volumeId))) continue
    const volume = await findVolumeById(db.reads, volumeId)
    if (!volume) continue
    try {
      const keys = await keysOfVolume(volume, openDiskKey)
      const disk = diskOf(volumeId, volumeFolder(volumeId), keys)
      const taken = await machine.takeBase({ ...disk, baseSocket })
      isAll &&= taken
    } catch (error) {
      // It reads the same from us, until the key can be used again.
      if (!isKeyUnusable(error)) throw error
      isAll = false
    }
  }
  return isAll
}
