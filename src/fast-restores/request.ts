/** What the calls on fast restores name, and how they refuse one item among others. */
import { ApiError, missingParameter } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'
import { findZone, type Zone, zoneNotFound } from '../network/zone.ts'
import { parseSnapshotId } from '../snapshots/snapshot.ts'

interface Input {
  readonly AvailabilityZones?: readonly string[] | undefined
  readonly AvailabilityZoneIds?: readonly string[] | undefined
  readonly SourceSnapshotIds?: readonly string[] | undefined
}

export interface Wish {
  readonly snapshotId: Id<'snapshot'>
  readonly zone: Zone
}

/** A wish that cannot be granted, and why. */
export interface Failure extends Wish {
  readonly error: Pick<ApiError, 'code' | 'message'>
}

/** Each snapshot with each zone. What names no zone or has not the form of an id ends the call. */
export function readWishes(input: Input, region: string): readonly Wish[] {
  const { AvailabilityZones = [], AvailabilityZoneIds = [], SourceSnapshotIds = [] } = input
  if (AvailabilityZones.length > 0 && AvailabilityZoneIds.length > 0) {
    throw new ApiError(
      'InvalidParameterCombination',
      'The parameters AvailabilityZones and AvailabilityZoneIds cannot be used together.',
    )
  }
  const names = [...new Set([...AvailabilityZones, ...AvailabilityZoneIds])]
  if (names.length === 0) throw missingParameter('AvailabilityZones')
  const zones = names.map((name) => {
    const zone = findZone(region, name)
    if (!zone) throw zoneNotFound(name)
    return zone
  })
  if (SourceSnapshotIds.length === 0) throw missingParameter('SourceSnapshotIds')
  const ids = [...new Set(SourceSnapshotIds)].map(parseSnapshotId)
  return ids.flatMap((snapshotId) => zones.map((zone) => ({ snapshotId, zone })))
}

/** The failures by snapshot, as the answer has them. */
export function viewFailures(failures: readonly Failure[]) {
  return [...Map.groupBy(failures, ({ snapshotId }) => snapshotId)].map(([SnapshotId, some]) => ({
    SnapshotId,
    FastSnapshotRestoreStateErrors: some.map(({ zone, error }) => ({
      AvailabilityZone: zone.name,
      AvailabilityZoneId: zone.id,
      Error: { Code: error.code, Message: error.message },
    })),
  }))
}
