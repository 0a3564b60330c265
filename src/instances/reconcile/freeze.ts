/**
 * The points in time that are owed of an instance's volumes. On a running
 * machine QEMU takes them, of all volumes at one moment; with a reboot, the
 * guest is shut down first and started again after; on a stopped one, the files
 * alone are enough.
 */
import { transaction } from '../../db/database.ts'
import type { Freeze } from '../../freezes/freeze.ts'
import {
  failFreeze,
  FreezeFailed,
  freezeOffline,
  holdVolumes,
  listVolumesOfFreeze,
  recordLayers,
} from '../../freezes/offline.ts'
import { findFreeze, finishFreeze, listWantedFreezes } from '../../freezes/store.ts'
import type { Id } from '../../lib/ids.ts'
import { addLayer, topLayer } from '../../qemu/layers.ts'
import type { Machine } from '../../qemu/machine.ts'
import { keysOfVolume } from '../../volumes/disk-keys.ts'
import { diskId } from '../hardware.ts'
import type { Instance } from '../instance.ts'
import { bumpReboots } from '../store.ts'
import { catchUp } from './disks.ts'
import { type InstanceDependencies, pressPowerButton, shutdownMsMax } from './context.ts'

/** Takes what is owed of an instance that has no machine. Tells whether anything was. */
export async function freezeStopped(
  instance: Instance,
  dependencies: InstanceDependencies,
): Promise<boolean> {
  const freezes = await listWantedFreezes(dependencies.db.reads, { instanceId: instance.id })
  for (const { id } of freezes) {
    await freezeOffline(dependencies, id).catch((error: unknown) => {
      throw new FreezeFailed(id, error)
    })
  }
  return freezes.length > 0
}

/**
 * Takes the next of what is owed of an instance that runs. `shutting down`: the
 * guest was asked to power off, and whoever sees it do so shall know why. It is
 * owed a reboot from the moment on at which nothing else would say why it is off.
 */
export async function freezeRunning(
  instance: Instance,
  machine: Machine,
  dependencies: InstanceDependencies,
): Promise<'nothing' | 'taken' | 'shutting down'> {
  const { db, now, log } = dependencies
  const [freeze] = await listWantedFreezes(db.reads, { instanceId: instance.id })
  if (!freeze) return 'nothing'
  if (!freeze.withReboot) {
    await take(freeze, machine, dependencies)
    return 'taken'
  }
  if ((await machine.state()) === 'running') {
    if (now().getTime() - freeze.wantedAt.getTime() < shutdownMsMax) {
      await pressPowerButton(machine, now())
      return 'shutting down'
    }
    log.warn('a guest did not shut down for its image, and is reset', { instanceId: instance.id })
    await machine.stop()
  }
  await take(freeze, machine, dependencies)
  return 'taken'
}

/** A moment that will not be taken. A guest that was shut down for it starts again. */
export async function abandonFreeze(
  instanceId: Id<'instance'>,
  { freezeId, message }: FreezeFailed,
  { db }: InstanceDependencies,
): Promise<void> {
  await transaction(db.writes, async (tx) => {
    const freeze = await findFreeze(tx, freezeId)
    await failFreeze(tx, freezeId, message)
    if (freeze?.withReboot) await bumpReboots(tx, instanceId)
  })
}

async function take(
  freeze: Freeze,
  machine: Machine,
  dependencies: InstanceDependencies,
): Promise<void> {
  await takeNow(freeze, machine, dependencies).catch((error: unknown) => {
    throw new FreezeFailed(freeze.id, error)
  })
}

async function takeNow(
  freeze: Freeze,
  machine: Machine,
  dependencies: InstanceDependencies,
): Promise<void> {
  const { db, lanes, volumeFolder, openDiskKey } = dependencies
  await holdVolumes(lanes, await listVolumesOfFreeze(db.writes, freeze.id), async () => {
    const layers = await recordLayers(dependencies, freeze.id)
    const written = await machine.topLayers()
    const points = []
    for (const { volume, layer } of layers) {
      const folder = volumeFolder(volume.id)
      const keys = await keysOfVolume(volume, openDiskKey)
      if ((await topLayer(folder)) === layer) await addLayer(folder, layer + 1, keys)
      // QEMU may be past it already, and a volume that is not plugged in yet needs only its file.
      const id = diskId(volume.id)
      const now = written.get(id)
      if (now === undefined || now > layer) continue
      await catchUp(machine, { diskId: id, folder, written: now, top: layer, keys })
      points.push({ diskId: id, folder, layer: layer + 1, keys })
    }
    await machine.freeze(points)
    await transaction(db.writes, async (tx) => {
      await finishFreeze(tx, freeze.id)
      if (freeze.withReboot && freeze.instanceId) await bumpReboots(tx, freeze.instanceId)
    })
  })
}
