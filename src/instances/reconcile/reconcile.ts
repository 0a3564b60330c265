/**
 * Keeps the promises of instances. Everything that touches a machine happens in
 * its instance's step, one at a time: what the database says of the state, of
 * attachments, reboots and points in time, in this order.
 */
import { rm } from 'node:fs/promises'
import { transaction } from '../../db/database.ts'
import { FreezeFailed } from '../../freezes/offline.ts'
import { listWantedFreezes } from '../../freezes/store.ts'
import type { Id } from '../../lib/ids.ts'
import { reasonOf } from '../../lib/reason-of.ts'
import type { Reconciler, StepOutcome } from '../../reconcile/loop.ts'
import { ReplacementFailed } from '../../root-replacements/fail.ts'
import { listReplacementsUnderWay } from '../../root-replacements/store.ts'
import { deleteTagsOf } from '../../tags/store.ts'
import { failModification, ModificationFailed } from '../../volume-modifications/apply.ts'
import { listModificationsIn } from '../../volume-modifications/store.ts'
import { listAttachments } from '../../volumes/store.ts'
import type { Instance } from '../instance.ts'
import { endLaunch } from '../../inventory/launch-store.ts'
import { deleteInstance, findInstance, listDueInstances, listExpired } from '../store.ts'
import type { InstanceDependencies } from './context.ts'
import { abandonAttachment, AttachFailed, settleAttachments } from './disks.ts'
import { abandonFreeze, freezeStopped } from './freeze.ts'
import { growDisks } from './grow.ts'
import { abandonReplacement, replaceRoot } from './replace-root.ts'
import { run } from './run.ts'
import { abandonStart, start } from './start.ts'
import { stop, terminate } from './stop.ts'

/** A terminated instance is shown for about an hour. */
const shownMs = 60 * 60 * 1000

export function instanceReconciler(
  given: Omit<InstanceDependencies, 'held' | 'unmerged' | 'served'>,
): Reconciler<Id<'instance'>> {
  const sets = {
    held: new Map(),
    unmerged: new Set<Id<'instance'>>(),
    served: new Set<Id<'instance'>>(),
  }
  const dependencies: InstanceDependencies = { ...given, ...sets }
  const { db, now, held, unmerged, served } = dependencies
  return {
    name: 'instances',
    stepsAtOnceMax: 32,
    async due() {
      const expired = await listExpired(db.reads, new Date(now().getTime() - shownMs))
      const moving = await listAttachments(db.reads, { states: ['attaching', 'detaching'] })
      const freezes = await listWantedFreezes(db.reads)
      const growing = await listModificationsIn(db.reads, ['modifying'])
      const volumeIds = growing.map(({ volumeId }) => volumeId)
      const grown = growing.length > 0 ? await listAttachments(db.reads, { volumeIds }) : []
      return [
        ...(await listDueInstances(db.reads)),
        ...[...moving, ...grown, ...(await listReplacementsUnderWay(db.reads))].map(
          ({ instanceId }) => instanceId,
        ),
        ...freezes.flatMap(({ instanceId }) => instanceId ?? []),
        ...expired.map(({ id }) => id),
        ...held.keys(),
        ...unmerged,
        ...served,
      ]
    },
    async step(id) {
      const instance = await findInstance(db.reads, id)
      if (instance?.state !== 'running') {
        held.delete(id)
        unmerged.delete(id)
        served.delete(id)
      }
      if (!instance) return 'waiting'
      return await steps[instance.state](instance, dependencies)
    },
    async giveUp(id, error) {
      if (error instanceof ModificationFailed) {
        const { volumeId, message } = error
        return await failModification(dependencies, { volumeId, message, at: now() })
      }
      if (error instanceof ReplacementFailed) {
        return await abandonReplacement(id, error.message, dependencies)
      }
      if (error instanceof FreezeFailed) return await abandonFreeze(id, error, dependencies)
      if (error instanceof AttachFailed) return await abandonAttachment(error, dependencies)
      const instance = await findInstance(db.reads, id)
      // What is to end is tried for as long as it takes.
      if (instance?.state !== 'pending') return
      const message = reasonOf(error)
      await abandonStart(instance, message, dependencies)
    },
  }
}

type Step = (instance: Instance, dependencies: InstanceDependencies) => Promise<StepOutcome>

const steps = {
  pending: start,
  running: run,
  stopping: stop,
  'shutting-down': terminate,
  async stopped(instance, dependencies) {
    const hasFrozen = await freezeStopped(instance, dependencies)
    const replaced = await replaceRoot(instance, undefined, dependencies)
    const settled = await settleAttachments(instance, undefined, dependencies)
    const grown = await growDisks(instance, undefined, dependencies)
    return hasFrozen || replaced === 'moved' || grown === 'moved' ? 'moved' : settled
  },
  async terminated(instance, { db, machines, now }) {
    if (now().getTime() - instance.stateSince.getTime() < shownMs) return 'waiting'
    await rm(machines.folder(instance.id), { recursive: true, force: true })
    await transaction(db.writes, async (tx) => {
      await deleteTagsOf(tx, instance.id)
      await deleteInstance(tx, instance.id)
      await endLaunch(tx, instance.id, now())
    })
    return 'moved'
  },
} as const satisfies Record<Instance['state'], Step>
