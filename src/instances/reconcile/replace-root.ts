/**
 * Replaces the root volume of an instance that stays what it is: the guest is shut
 * down, its machine ended, the attachment of the root handed over in one transaction,
 * and a machine started anew. A machine that is there after the swap is the new
 * one, since the old one was ended before it; so each step can be done again.
 */
import { transaction } from '../../db/database.ts'
import { FreezeFailed, isFreezeWanted } from '../../freezes/offline.ts'
import { noteRoot } from '../../inventory/note-root.ts'
import type { Id } from '../../lib/ids.ts'
import type { Machine } from '../../qemu/machine.ts'
import type { StepOutcome } from '../../reconcile/loop.ts'
import { failReplacement, ReplacementFailed } from '../../root-replacements/fail.ts'
import type { Replacement } from '../../root-replacements/replacement.ts'
import { changeReplacement, listReplacementsUnderWay } from '../../root-replacements/store.ts'
import { discardVolume } from '../../volumes/discard.ts'
import {
  changeVolumeState,
  deleteAttachment,
  findVolumeById,
  insertAttachment,
  listAttachments,
} from '../../volumes/store.ts'
import { serverError } from '../cause.ts'
import type { Instance } from '../instance.ts'
import { changeInstanceState } from '../store.ts'
import { type InstanceDependencies, pressPowerButton, shutdownMsMax } from './context.ts'
import { tidyVolume } from './disks.ts'
import { freezeStopped } from './freeze.ts'
import { launchMachine } from './start.ts'

/** Brings the task of an instance forward. `nothing`: there is none, or its volume is being made. */
export async function replaceRoot(
  instance: Instance,
  machine: Machine | undefined,
  dependencies: InstanceDependencies,
): Promise<StepOutcome | 'nothing'> {
  const { id: instanceId } = instance
  const [task] = await listReplacementsUnderWay(dependencies.db.writes, { instanceId })
  if (!task) return 'nothing'
  return await forward(task, instance, machine, dependencies).catch((error: unknown) => {
    throw error instanceof FreezeFailed ? error : new ReplacementFailed(task.id, error)
  })
}

async function forward(
  task: Replacement,
  instance: Instance,
  machine: Machine | undefined,
  dependencies: InstanceDependencies,
): Promise<StepOutcome | 'nothing'> {
  const { db, machines, networks, now } = dependencies
  if (task.state === 'pending') return await begin(task, dependencies)
  if (!task.isSwapped) {
    if (machine && !(await isOff(task, machine, dependencies))) return 'waiting'
    // A moment that was asked for is still the old root's.
    await freezeStopped(instance, dependencies)
    await tidyVolume(task.oldVolumeId, dependencies)
    await swap(task, instance, dependencies)
    return 'moved'
  }
  if (instance.state === 'running' && !machine) {
    const attachments = await listAttachments(db.writes, { instanceIds: [instance.id] })
    const network = networks.apply(instance.vpcId)
    network.catch(() => {})
    const started = await launchMachine(instance, attachments, network, dependencies)
    machines.adopt(instance.id, started)
  }
  await transaction(db.writes, (tx) =>
    changeReplacement(tx, task, { state: 'succeeded', endedAt: now() }),
  )
  return 'moved'
}

/** Takes the new volume, as soon as it is there. */
async function begin(
  task: Replacement,
  { db, now }: InstanceDependencies,
): Promise<StepOutcome | 'nothing'> {
  const id = task.newVolumeId
  const volume = await findVolumeById(db.writes, id)
  if (volume?.state === 'creating') return 'nothing'
  await transaction(db.writes, async (tx) => {
    const isTaken =
      task.isVolumeGiven || (await changeVolumeState(tx, { id, from: 'available', to: 'in-use' }))
    const at = now()
    if (isTaken) await changeReplacement(tx, task, { state: 'in-progress', begunAt: at })
    else {
      const why = volume?.stateMessage ?? `${id} is ${volume?.state ?? 'gone'}`
      await failReplacement(tx, task, { message: why, at })
    }
  })
  return 'moved'
}

/** Shuts the guest down, and ends its machine. */
async function isOff(
  task: Replacement,
  machine: Machine,
  { now }: InstanceDependencies,
): Promise<boolean> {
  const waitedMs = now().getTime() - (task.begunAt ?? task.startedAt).getTime()
  if (waitedMs < shutdownMsMax && (await machine.state()) === 'running') {
    await pressPowerButton(machine, now())
    return false
  }
  await machine.kill()
  return true
}

async function swap(
  task: Replacement,
  instance: Instance,
  { db, now }: InstanceDependencies,
): Promise<void> {
  await transaction(db.writes, async (tx) => {
    const attachments = await listAttachments(tx, { instanceIds: [instance.id] })
    const old = attachments.find(({ device }) => device === instance.rootDeviceName)
    if (old && (await isFreezeWanted(tx, [old.volumeId]))) return
    if (!(await changeReplacement(tx, task, { isSwapped: true }))) return
    const at = now()
    await noteRoot(tx, instance, task, at)
    if (old) {
      const { volumeId: id } = old
      await deleteAttachment(tx, id)
      await changeVolumeState(tx, { id, from: 'in-use', to: 'available' })
      if (task.deletesReplaced) await discardVolume(tx, { ...instance, id }, at)
    }
    await insertAttachment(tx, {
      volumeId: task.newVolumeId,
      instanceId: instance.id,
      device: instance.rootDeviceName,
      state: 'attached',
      isDetachForced: false,
      // What somebody has prepared does not go with the instance because the old root would have.
      deleteOnTermination: !task.isVolumeGiven && (old?.deleteOnTermination ?? false),
      attachedAt: at,
    })
  })
}

/** A replacement that will not come about. Its instance stops where the old machine is gone, and no new one there. */
export async function abandonReplacement(
  instanceId: Id<'instance'>,
  message: string,
  { db, machines, now }: InstanceDependencies,
): Promise<void> {
  const machine = await machines.find(instanceId)
  await transaction(db.writes, async (tx) => {
    const at = now()
    const [task] = await listReplacementsUnderWay(tx, { instanceId })
    if (task) await failReplacement(tx, task, { message, at })
    if (machine) return
    const stop = { from: 'running', to: 'stopping', isStopForced: true } as const
    await changeInstanceState(tx, { id: instanceId, ...stop, at, cause: serverError(message) })
  })
}
