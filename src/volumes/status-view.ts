/** What is known of how a volume is, as EC2 answers it. */
import type { VolumeStatusItem } from '@aws-sdk/client-ec2'
import { findZone } from '../network/zone.ts'
import type { Volume } from './volume.ts'

/** Of one that is being made nothing is known yet; one that could not be made is no good. */
export function statusOf({ state }: Volume): 'ok' | 'impaired' | 'insufficient-data' {
  if (state === 'creating') return 'insufficient-data'
  return state === 'error' ? 'impaired' : 'ok'
}

/** Whether it can be read and written; how fast is measured by nobody. */
export function detailsOf(volume: Volume) {
  const enabled = { ok: 'passed', impaired: 'failed', 'insufficient-data': 'insufficient-data' }
  return [
    { Name: 'io-enabled', Status: enabled[statusOf(volume)] },
    { Name: 'io-performance', Status: 'not-applicable' },
  ] as const
}

export function viewVolumeStatus(volume: Volume): VolumeStatusItem {
  const { id, region, availabilityZone, state, initializationRate } = volume
  const type = initializationTypeOf(volume)
  return {
    VolumeId: id,
    AvailabilityZone: availabilityZone,
    AvailabilityZoneId: findZone(region, availabilityZone)?.id,
    Actions: [],
    Events: [],
    Operator: { Managed: false },
    VolumeStatus: { Status: statusOf(volume), Details: [...detailsOf(volume)] },
    ...(type && {
      // Its blocks are all there before it can be used.
      InitializationStatusDetails: {
        InitializationType: type,
        Progress: state === 'creating' || state === 'error' ? 0 : 100,
        ...(initializationRate !== undefined && { EstimatedTimeToCompleteInSeconds: 0 }),
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
