/**
 * `stopping` → `stopped`, and `shutting-down` → `terminated`: the guest is asked
 * to shut down, and after a while the power is cut. A terminated instance whose
 * disks go with it is not asked: nothing that it could still write will be seen.
 */
import { type Database, transaction } from '../../db/database.ts'
import { isFreezeWanted } from '../../freezes/offline.ts'
import { deleteAssociationOf } from '../../instance-profiles/store.ts'
import { releaseInterface } from '../../network/interfaces.ts'
import { listInterfaces } from '../../network/interface-store.ts'
import { releasePublicIps } from '../../network/public-address.ts'
import type { StepOutcome } from '../../reconcile/loop.ts'
import { failReplacement } from '../../root-replacements/fail.ts'
import { listReplacementsUnderWay } from '../../root-replacements/store.ts'
import type { Attachment } from '../../volumes/attachment.ts'
import { discardVolume, isRetained } from '../../volumes/discard.ts'
import {
  changeAttachmentState,
  changeVolumeState,
  deleteAttachment,
  listAttachments,
} from '../../volumes/store.ts'
import type { Instance } from '../instance.ts'
import { deleteRoot } from '../root-store.ts'
import { changeInstanceState } from '../store.ts'
import { type InstanceDependencies, pressPowerButton, shutdownMsMax } from './context.ts'
import { tidyVolume } from './disks.ts'
import { freezeStopped } from './freeze.ts'
import { removeRoot } from './root.ts'

/** What outlives its instance is given this long to be written out. */
const farewellMsMax = 20_000

export async function stop(
  instance: Instance,
  dependencies: InstanceDependencies,
): Promise<StepOutcome> {
  const { db, networks, now } = dependencies
  const { id } = instance
  const waitMsMax = instance.isStopForced ? 0 : shutdownMsMax
  if (!(await isPoweredOff(instance, waitMsMax, dependencies))) return 'waiting'
  for (const { volumeId } of await listAttachments(db.reads, { instanceIds: [id] })) {
    await tidyVolume(volumeId, dependencies)
  }
  await transaction(db.writes, async (tx) => {
    if (!(await changeInstanceState(tx, { id, from: 'stopping', to: 'stopped', at: now() }))) return
    await releasePublicIps(tx, id)
    for (const { volumeId, state } of await listAttachments(tx, { instanceIds: [id] })) {
      if (state === 'attaching') {
        await changeAttachmentState(tx, { volumeId, from: 'attaching', to: 'attached' })
      }
    }
  })
  await networks.apply(instance.vpcId)
  return 'moved'
}

export async function terminate(
  instance: Instance,
  dependencies: InstanceDependencies,
): Promise<StepOutcome> {
  const { db, networks, now } = dependencies
  const { id } = instance
  const attachments = await listAttachments(db.reads, { instanceIds: [id] })
  const isAllGone = !(await outlivesAny(db.reads, instance, attachments, now()))
  if (!(await isPoweredOff(instance, isAllGone ? 0 : farewellMsMax, dependencies))) return 'waiting'
  // What was promised of its volumes comes before they go.
  await freezeStopped(instance, dependencies)
  await removeRoot(instance, dependencies)
  const isOver = await transaction(db.writes, async (tx) => {
    const attached = await listAttachments(tx, { instanceIds: [id] })
    const volumeIds = attached.map(({ volumeId }) => volumeId)
    if (await isFreezeWanted(tx, volumeIds)) return false
    for (const attachment of attached) {
      const { volumeId } = attachment
      await deleteAttachment(tx, volumeId)
      const volume = { ...instance, id: volumeId }
      await changeVolumeState(tx, { id: volumeId, from: 'in-use', to: 'available' })
      if (canBeRetained(attachment) && (await discardVolume(tx, volume, now()))) continue
      if (attachment.deleteOnTermination) {
        await changeVolumeState(tx, { id: volumeId, from: 'available', to: 'deleting' })
      }
      // One that is still being made, or could not be, is of no use to anybody.
      await changeVolumeState(tx, { id: volumeId, from: ['creating', 'error'], to: 'deleting' })
    }
    for (const task of await listReplacementsUnderWay(tx, { instanceId: id })) {
      await failReplacement(tx, task, { message: 'The instance was terminated', at: now() })
    }
    for (const port of await listInterfaces(tx, { instanceIds: [id] })) {
      await releaseInterface(tx, port.id)
    }
    await deleteRoot(tx, id)
    await deleteAssociationOf(tx, id)
    await changeInstanceState(tx, { id, from: 'shutting-down', to: 'terminated', at: now() })
    return true
  })
  if (!isOver) return 'moved'
  await networks.apply(instance.vpcId)
  return 'moved'
}

/** That of a launch that failed is not. */
const canBeRetained = ({ deleteOnTermination, state }: Attachment): boolean =>
  deleteOnTermination && state !== 'attaching'

/** Tells whether any of the volumes stays, or goes into the Recycle Bin. */
async function outlivesAny(
  db: Database,
  instance: Instance,
  attachments: readonly Attachment[],
  now: Date,
): Promise<boolean> {
  for (const attachment of attachments) {
    const volume = { ...instance, id: attachment.volumeId }
    if (!attachment.deleteOnTermination) return true
    if (canBeRetained(attachment) && (await isRetained(db, volume, now))) return true
  }
  return false
}

/** Brings the machine closer to its end. Tells whether it is there. */
async function isPoweredOff(
  instance: Instance,
  waitMsMax: number,
  { machines, now }: InstanceDependencies,
): Promise<boolean> {
  const machine = await machines.find(instance.id)
  if (!machine) {
    await machines.endTpm(instance.id)
    return true
  }
  const waitedMs = now().getTime() - instance.stateSince.getTime()
  if (waitedMs < waitMsMax && (await machine.state()) === 'running') {
    await pressPowerButton(machine, now())
    return false
  }
  await machine.kill()
  return true
}
