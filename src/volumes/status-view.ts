/** What is known of how a volume is, as EC2 answers it. */
import type { VolumeStatusItem } from '@aws-sdk/client-ec2'
import type { BaseProgress } from '../qemu/base-files.ts'
import { findZone } from '../network/zone.ts'
import type { Volume } from './volume.ts'

/** A volume, and how far what it lies over is made, where it lies over something. */
export interface SeenVolume {
  readonly volume: Volume
  /** Of what it is attached to. */
  readonly instanceId: string | undefined
  readonly base: BaseProgress | undefined
}

/** Of one that is being made nothing is known yet; one that could not be made, or is damaged, is no good. */
export function statusOf({ volume, base }: SeenVolume): 'ok' | 'impaired' | 'insufficient-data' {
  if (volume.state === 'creating') return 'insufficient-data'
  return volume.state === 'error' || base?.isDamaged ? 'impaired' : 'ok'
}

/** Whether it can be read and written; how fast is measured by nobody. */
export function detailsOf(seen: SeenVolume) {
  const enabled = { ok: 'passed', impaired: 'failed', 'insufficient-data': 'insufficient-data' }
  return [
    { Name: 'io-enabled', Status: enabled[statusOf(seen)] },
    { Name: 'io-performance', Status: 'not-applicable' },
  ] as const
}

/** How fast the instance can read and write it is measured by nobody either. */
export const attachmentStatusesOf = ({ instanceId }: SeenVolume) =>
  instanceId === undefined ? [] : [{ InstanceId: instanceId, IoPerformance: 'not-applicable' }]

export function viewVolumeStatus(seen: SeenVolume): VolumeStatusItem {
  const { volume, base } = seen
  const { id, region, availabilityZone, state, sizeGiB, initializationRate } = volume
  const type = initializationTypeOf(volume)
  // It can be used before all of its blocks are in its own files.
  const percent = state === 'creating' || state === 'error' ? 0 : (base?.percent ?? 100)
  const leftMiB = (sizeGiB * 1024 * (100 - percent)) / 100
  return {
    VolumeId: id,
    AvailabilityZone: availabilityZone,
    AvailabilityZoneId: findZone(region, availabilityZone)?.id,
    Actions: [],
    Events: [],
    Operator: { Managed: false },
    AttachmentStatuses: attachmentStatusesOf(seen),
    VolumeStatus: { Status: statusOf(seen), Details: [...detailsOf(seen)] },
    ...(type && {
      InitializationStatusDetails: {
        InitializationType: type,
        Progress: percent,
        ...(initializationRate !== undefined && {
          EstimatedTimeToCompleteInSeconds: Math.ceil(leftMiB / initializationRate),
        }),
      },
    }),
  }
}

/** How it is filled, where it is not made empty. */
function initializationTypeOf({ sourceVolumeId, snapshotId, initializationRate }: Volume) {
  if (sourceVolumeId) return 'volume-copy'
  if (!snapshotId) return undefined
  return initializationRate === undefined ? 'default' : 'provisioned-rate'
}
