/**
 * Instances whose root is no volume but a disk of the host's own. It is there as long as
 * the instance, through reboots and no longer: such an instance cannot be stopped, and
 * ends where another one would stop.
 */
import { replaceRootCode, shutdownBehaviorCode, stopProtectionCode } from '../bundles/unknowns.ts'
import type { Digest } from '../lib/digest.ts'
import { ApiError } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'
import { attachmentsMax } from '../volumes/attachment.ts'
import type { Instance, ShutdownBehavior } from './instance.ts'

/** The disk that a root is made of. */
export interface InstanceRoot {
  readonly instanceId: Id<'instance'>
  readonly disk: Digest
  readonly sizeBytes: number
}

type Kind = Pick<Instance, 'id' | 'rootDeviceType'>

export const hasHostRoot = ({ rootDeviceType }: Pick<Kind, 'rootDeviceType'>): boolean =>
  rootDeviceType === 'instance-store'

/** How many volumes it can have: a root that is none takes the place of one. */
export const volumesMaxOf = (instance: Pick<Kind, 'rootDeviceType'>): number =>
  hasHostRoot(instance) ? attachmentsMax - 1 : attachmentsMax

/** Refuses what only an instance with a volume as its root can have done to it. */
export function checkHasVolumeRoot(instance: Kind, done: 'stopped' | 'started'): void {
  if (hasHostRoot(instance)) throw noVolumeRoot('UnsupportedOperation', instance, done)
}

export function checkRootIsReplaceable(instance: Kind): void {
  if (hasHostRoot(instance)) {
    throw noVolumeRoot(replaceRootCode, instance, 'given another root volume')
  }
}

/** It cannot be stopped, so nothing protects it from that. */
export function checkStopProtection(isWanted: boolean, kind: Pick<Kind, 'rootDeviceType'>): void {
  if (!isWanted || !hasHostRoot(kind)) return
  throw new ApiError(
    stopProtectionCode,
    'Stop protection is not supported for instances with an instance-store root device.',
  )
}

/** What an instance does when it powers itself off, as a launch may ask for it. */
export function shutdownBehaviorAtLaunch(
  wanted: ShutdownBehavior | undefined,
  kind: Pick<Kind, 'rootDeviceType'>,
): ShutdownBehavior {
  if (!hasHostRoot(kind)) return wanted ?? 'stop'
  if (wanted !== 'stop') return 'terminate'
  throw new ApiError(
    'InvalidParameterCombination',
    'The attribute instanceInitiatedShutdownBehavior can only be used for EBS-backed images.',
  )
}

export function checkShutdownBehavior(wanted: ShutdownBehavior, instance: Kind): void {
  if (wanted !== 'stop' || !hasHostRoot(instance)) return
  throw new ApiError(
    shutdownBehaviorCode,
    `The instance '${instance.id}' does not have an 'ebs' root device type: ` +
      `its instanceInitiatedShutdownBehavior is always 'terminate'.`,
  )
}

function noVolumeRoot(
  code: 'UnsupportedOperation' | typeof replaceRootCode,
  { id }: Kind,
  done: string,
) {
  return new ApiError(
    code,
    `The instance '${id}' does not have an 'ebs' root device type and cannot be ${done}.`,
  )
}
