/**
 * `pending` → `running`: when its volumes are there, the instance is plugged
 * into its network and its machine is started.
 */
import { mkdir } from 'node:fs/promises'
import { transaction } from '../../db/database.ts'
import { holdVolumes } from '../../freezes/offline.ts'
import { findUefiData } from '../../images/uefi-data-store.ts'
import { listInterfaces } from '../../network/interface-store.ts'
import type { Machine } from '../../qemu/machine.ts'
import { decodeUefiData } from '../../qemu/uefi-data.ts'
import type { DiskSpec, MachineSpec } from '../../qemu/machine-spec.ts'
import { startMachine } from '../../qemu/start-machine.ts'
import type { StepOutcome } from '../../reconcile/loop.ts'
import { tapName } from '../../vpc/spec.ts'
import type { Attachment } from '../../volumes/attachment.ts'
import { keysOfVolume } from '../../volumes/disk-keys.ts'
import {
  changeAttachmentState,
  changeVolumeState,
  findVolumeById,
  listAttachments,
} from '../../volumes/store.ts'
import { noCause, serverError } from '../cause.ts'
import { diskOf, inBootOrder, smbiosOf, uuidOf } from '../hardware.ts'
import type { Instance } from '../instance.ts'
import { hasHostRoot, volumesMaxOf } from '../instance-store.ts'
import { instanceTypeNamed } from '../instance-type.ts'
import { changeInstanceState } from '../store.ts'
import type { InstanceDependencies } from './context.ts'
import { makeRoot, rootDisksOf } from './root.ts'

export async function start(
  instance: Instance,
  dependencies: InstanceDependencies,
): Promise<StepOutcome> {
  const { db, machines, networks, now } = dependencies
  const { id } = instance
  const attachments = await listAttachments(db.reads, { instanceIds: [id] })
  const volumeIds = attachments.map(({ volumeId }) => volumeId)
  // What it is plugged into is made ready while its volumes are.
  const network = networks.apply(instance.vpcId)
  network.catch(() => {})
  const volumes = await Promise.all(volumeIds.map((one) => findVolumeById(db.reads, one)))
  const failed = volumes.find((volume) => !volume || volume.state === 'error')
  if (failed || volumes.includes(undefined)) {
    const why = failed?.stateMessage ?? 'a volume of it is gone'
    await abandonStart(instance, why, dependencies)
    return 'moved'
  }
  if (volumes.some((volume) => volume?.state === 'creating')) return 'waiting'
  await makeRoot(instance, dependencies)
  // Kept also where the instance is to end meanwhile: its monitor talks to nobody else.
  if (!(await machines.find(id))) {
    machines.adopt(id, await launchMachine(instance, attachments, network, dependencies))
  }
  await transaction(db.writes, async (tx) => {
    const at = now()
    const change = { id, from: 'pending', to: 'running', at, cause: noCause } as const
    if (!(await changeInstanceState(tx, change))) return
    for (const { volumeId } of attachments) {
      await changeAttachmentState(tx, { volumeId, from: 'attaching', to: 'attached' })
      await changeVolumeState(tx, { id: volumeId, from: 'available', to: 'in-use' })
    }
  })
  return 'moved'
}

/** A start that will not succeed: a new instance ends, one that ran before is stopped again. */
export async function abandonStart(
  instance: Instance,
  message: string,
  { db, now }: InstanceDependencies,
): Promise<void> {
  const { id } = instance
  await transaction(db.writes, async (tx) => {
    const attachments = await listAttachments(tx, { instanceIds: [id] })
    const isNew = attachments.some(
      ({ device, state }) => device === instance.rootDeviceName && state === 'attaching',
    )
    const to = isNew || hasHostRoot(instance) ? 'shutting-down' : 'stopping'
    await changeInstanceState(tx, {
      id,
      from: 'pending',
      to,
      at: now(),
      cause: serverError(message),
      isStopForced: true,
    })
  })
}

/** The variables of its image, where it has some. */
async function uefiOf(
  { currentBootMode, imageId }: Instance,
  { db, uefiDictionary }: InstanceDependencies,
): Promise<Pick<MachineSpec, 'uefiVariables'>> {
  const data = currentBootMode === 'uefi' ? await findUefiData(db.reads, imageId) : undefined
  return data === undefined ? {} : { uefiVariables: decodeUefiData(data, uefiDictionary) }
}

/** The root first, whatever it is. */
async function disksOf(
  instance: Instance,
  ordered: readonly Attachment[],
  dependencies: InstanceDependencies,
): Promise<readonly DiskSpec[]> {
  const { db, volumeFolder, openDiskKey, baseSocket } = dependencies
  const disks: DiskSpec[] = [...rootDisksOf(instance, dependencies)]
  for (const { volumeId } of ordered) {
    const volume = await findVolumeById(db.reads, volumeId)
    const keys = volume && (await keysOfVolume(volume, openDiskKey))
    disks.push(diskOf(volumeId, volumeFolder(volumeId), keys))
  }
  return disks.map((disk, index) => ({
    ...disk,
    baseSocket,
    ...(index === 0 && { bootIndex: 0 }),
  }))
}

/** Starts the machine of an instance with what it has now. */
export async function launchMachine(
  instance: Instance,
  attachments: readonly Attachment[],
  network: Promise<{ readonly enter: readonly string[] }>,
  dependencies: InstanceDependencies,
): Promise<Machine> {
  const { db, machines, lanes, accelerator } = dependencies
  const { id } = instance
  const type = instanceTypeNamed(instance.instanceType)
  const folder = machines.folder(id)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const interfaces = await listInterfaces(db.reads, { instanceIds: [id] })
  const { enter } = await network
  const ordered = inBootOrder(attachments, instance.rootDeviceName)
  const spec: MachineSpec = {
    name: id,
    folder,
    enter,
    accelerator,
    vcpus: type.vcpus,
    memoryMiB: type.memoryMiB,
    firmware: instance.currentBootMode === 'uefi' ? 'uefi' : 'bios',
    ...(await uefiOf(instance, dependencies)),
    hasTpm: instance.tpmSupport !== undefined,
    uuid: uuidOf(id),
    smbios: smbiosOf(id, instance.instanceType),
    disks: await disksOf(instance, ordered, dependencies),
    nics: interfaces.map((port, index) => ({
      id: `net${index}`,
      mac: port.mac,
      tap: tapName(port.id),
    })),
    hotplugSlots: Math.max(0, volumesMaxOf(instance) - ordered.length),
  }
  const volumeIds = attachments.map(({ volumeId }) => volumeId)
  return await holdVolumes(lanes, volumeIds, () => startMachine(spec))
}
