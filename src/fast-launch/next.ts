/**
 * What is to be done next for an image with fast launch, by how all is now. One thing at a
 * time: whatever it is, it is one transaction, and then all is looked at again.
 */
import type { Instance } from '../instances/instance.ts'
import type { CompletedSnapshot, Snapshot } from '../snapshots/snapshot.ts'
import {
  byItself,
  type FastLaunch,
  type FastLaunchState,
  failedFrom,
  type Reserve,
} from './fast-launch.ts'
import { preparingMinutesMax } from './unknowns.ts'

export interface SeenReserve extends Reserve {
  /** As far as they are there. */
  readonly instance: Instance | undefined
  readonly snapshot: Snapshot | undefined
}

export interface Situation {
  readonly fastLaunch: FastLaunch
  /** Whether the account can launch the image. */
  readonly isLaunchable: boolean
  readonly reserves: readonly SeenReserve[]
}

export type Action =
  | { readonly to: 'launch' }
  | { readonly to: 'capture' | 'keep' | 'forget'; readonly reserve: SeenReserve }
  | { readonly to: 'discard'; readonly reserve: SeenReserve; readonly failure?: string }
  | { readonly to: 'enter'; readonly state: FastLaunchState; readonly reason: string }
  | { readonly to: 'end' }

export function nextOf(
  { fastLaunch, isLaunchable, reserves }: Situation,
  now: Date,
): Action | undefined {
  const { state, targetCount, parallelMax } = fastLaunch
  if (state === 'disabling-failed') return undefined
  if (state === 'disabling') return endOf(reserves)
  if (!isLaunchable) {
    return enter('disabling', 'Client.InvalidImage - The image cannot be launched any more')
  }
  for (const reserve of reserves) {
    const owed = owedTo(reserve, now)
    if (owed) return owed
  }
  const ready = reserves.filter((reserve) => reserve.state === 'ready')
  const [excess] = ready
  if (excess && ready.length > targetCount) return discard(excess)
  if (!(state in failedFrom)) return undefined
  if (state === 'enabling' && ready.length >= targetCount) return enter('enabled', byItself)
  const underWay = reserves.length - ready.length
  if (reserves.length < targetCount && underWay < parallelMax) return { to: 'launch' }
  return undefined
}

function endOf([first]: readonly SeenReserve[]): Action {
  return first ? discard(first) : { to: 'end' }
}

function owedTo(reserve: SeenReserve, now: Date): Action | undefined {
  const { state, snapshot } = reserve
  if (state === 'preparing') return owedToInstance(reserve, now)
  if (state === 'ready') {
    // Somebody has done something else with it.
    return isUsable(snapshot) ? undefined : { to: 'forget', reserve }
  }
  if (snapshot?.state === 'completed') return { to: 'keep', reserve }
  if (snapshot?.state === 'pending') return undefined
  const why = snapshot?.state === 'error' ? snapshot.stateMessage : 'it was deleted'
  return discard(reserve, `The snapshot of ${reserve.instanceId} has failed: ${why}`)
}

function owedToInstance(reserve: SeenReserve, now: Date): Action | undefined {
  const { instance, instanceId, begunAt } = reserve
  const why = instance?.cause.reason
  if (!instance || instance.state === 'terminated' || instance.state === 'shutting-down') {
    const told = why ? `: ${why.message}` : ''
    return discard(reserve, `The instance ${instanceId} was terminated before it was set up${told}`)
  }
  if (instance.state === 'stopped') {
    if (why?.code === 'Client.InstanceInitiatedShutdown') return { to: 'capture', reserve }
    return discard(reserve, `The instance ${instanceId} was stopped before it was set up`)
  }
  const minutes = (now.getTime() - begunAt.getTime()) / 60_000
  if (minutes < preparingMinutesMax) return undefined
  const told = `did not shut itself down within ${preparingMinutesMax} minutes`
  return discard(reserve, `The instance ${instanceId} ${told}`)
}

/** Whether volumes can be made of a snapshot. */
export function isUsable(snapshot: Snapshot | undefined): snapshot is CompletedSnapshot {
  return (
    snapshot?.state === 'completed' && !snapshot.isArchived && snapshot.recycledAt === undefined
  )
}

const discard = (reserve: SeenReserve, failure?: string): Action => ({
  to: 'discard',
  reserve,
  ...(failure !== undefined && { failure }),
})

const enter = (state: FastLaunchState, reason: string): Action => ({ to: 'enter', state, reason })
