/** `running`: sees that the machine is there, and does what is asked of it. */
import { transaction } from '../../db/database.ts'
import type { Machine } from '../../qemu/machine.ts'
import type { StepOutcome } from '../../reconcile/loop.ts'
import { instanceInitiated, serverError } from '../cause.ts'
import type { Instance } from '../instance.ts'
import { hasHostRoot } from '../instance-store.ts'
import { changeInstanceState, finishReboot } from '../store.ts'
import { type InstanceDependencies, pressPowerButton, shutdownMsMax } from './context.ts'
import { takeBases } from './bases.ts'
import { mergeLayersOf, settleAttachments } from './disks.ts'
import { freezeRunning } from './freeze.ts'
import { growDisks } from './grow.ts'
import { replaceRoot } from './replace-root.ts'

export async function run(
  instance: Instance,
  dependencies: InstanceDependencies,
): Promise<StepOutcome> {
  const { machines, held, unmerged, served } = dependencies
  const machine = await machines.find(instance.id)
  if (!machine) {
    const replaced = await replaceRoot(instance, undefined, dependencies)
    if (replaced !== 'nothing') return replaced
    return await end(instance, serverError('the machine ended unexpectedly'), dependencies)
  }
  const taken = await freezeRunning(instance, machine, dependencies)
  if (taken === 'taken') {
    unmerged.add(instance.id)
    return 'moved'
  }
  if (taken === 'shutting down') return 'waiting'
  const replaced = await replaceRoot(instance, machine, dependencies)
  if (replaced !== 'nothing') return replaced

  const isRebooting = instance.rebootsWanted !== instance.rebootsDone
  if (isRebooting) return await reboot(instance, machine, dependencies)

  const state = await machine.state()
  if (state === 'shutdown') return await end(instance, instanceInitiated, dependencies)
  if (state === 'internal-error') {
    return await end(instance, serverError('the machine failed inside'), dependencies)
  }
  if (state === 'io-error') {
    await goOn(instance, machine, dependencies)
    return 'waiting'
  }
  held.delete(instance.id)

  const settled = await settleAttachments(instance, machine, dependencies)
  if (settled === 'moved') return settled
  if ((await growDisks(instance, machine, dependencies)) === 'moved') return 'moved'
  if (await takeBases(instance, machine, dependencies)) served.delete(instance.id)
  else served.add(instance.id)
  if (await mergeLayersOf(instance, machine, dependencies)) unmerged.delete(instance.id)
  else unmerged.add(instance.id)
  return 'waiting'
}

/**
 * A disk of the host was full. As soon as there is room the guest goes on, which
 * is tried again and again, but no more often than this.
 */
async function goOn(
  { id }: Instance,
  machine: Machine,
  { held, now, log }: InstanceDependencies,
): Promise<void> {
  const triedAtMs = held.get(id)
  if (triedAtMs === undefined) log.warn('a guest waits for room on the disk', { instanceId: id })
  else if (now().getTime() - triedAtMs < goOnEveryMs) return
  held.set(id, now().getTime())
  await machine.cont()
}

const goOnEveryMs = 1_000

/** Asks the guest to shut down, and starts it again; one that does not listen is reset. */
async function reboot(
  instance: Instance,
  machine: Machine,
  { db, now }: InstanceDependencies,
): Promise<StepOutcome> {
  const { id, rebootsWanted } = instance
  rebootSince.set(machine, rebootSince.get(machine) ?? now().getTime())
  const waitedMs = now().getTime() - (rebootSince.get(machine) ?? 0)
  if ((await machine.state()) === 'running' && waitedMs < shutdownMsMax) {
    await pressPowerButton(machine, now())
    return 'waiting'
  }
  await machine.reset()
  rebootSince.delete(machine)
  await transaction(db.writes, (tx) => finishReboot(tx, { id, done: rebootsWanted }))
  return 'moved'
}

/** Since when a machine has been asked to reboot; after a restart of ours, it begins anew. */
const rebootSince = new WeakMap<Machine, number>()

/** The machine is powered off, or gone: the instance follows it. */
async function end(
  instance: Instance,
  cause: typeof instanceInitiated,
  { db, now }: InstanceDependencies,
): Promise<StepOutcome> {
  const isOver =
    hasHostRoot(instance) ||
    (cause === instanceInitiated && instance.shutdownBehavior === 'terminate')
  await transaction(db.writes, (tx) =>
    changeInstanceState(tx, {
      id: instance.id,
      from: 'running',
      to: isOver ? 'shutting-down' : 'stopping',
      at: now(),
      cause,
      isStopForced: true,
    }),
  )
  return 'moved'
}
