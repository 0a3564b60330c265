/** Availability Zones: three in each Region, `us-east-1a` to `us-east-1c`. They are names on one host. */
import { ApiError } from '../lib/errors.ts'

export interface Zone {
  readonly name: string
  /** The same zone has the same id in every account: `use1-az1`. */
  readonly id: string
}

const letters = ['a', 'b', 'c'] as const

export function zonesOf(region: string): readonly Zone[] {
  return letters.map((letter, index) => ({
    name: `${region}${letter}`,
    id: `${shortRegion(region)}-az${index + 1}`,
  }))
}

/** Finds a zone by its name or id. */
export function findZone(region: string, wanted: string): Zone | undefined {
  return zonesOf(region).find(({ name, id }) => name === wanted || id === wanted)
}

/** The one that a call names: by its name or by its id. */
export function namedZone({
  AvailabilityZone,
  AvailabilityZoneId,
}: {
  readonly AvailabilityZone?: string | undefined
  readonly AvailabilityZoneId?: string | undefined
}): string | undefined {
  if (!AvailabilityZone || !AvailabilityZoneId) return AvailabilityZone ?? AvailabilityZoneId
  throw new ApiError(
    'InvalidParameterCombination',
    'The parameters AvailabilityZone and AvailabilityZoneId cannot be used together.',
  )
}

export function zoneNotFound(name: string): ApiError {
  return new ApiError('InvalidZone.NotFound', `The zone '${name}' does not exist.`)
}

const directions: Readonly<Record<string, string>> = {
  central: 'c',
  east: 'e',
  north: 'n',
  northeast: 'ne',
  northwest: 'nw',
  south: 's',
  southeast: 'se',
  southwest: 'sw',
  west: 'w',
}

/** `us-east-1` is `use1`, `ap-southeast-2` is `apse2`. */
function shortRegion(region: string): string {
  const parts = region.split('-')
  return parts.map((part) => directions[part] ?? part).join('')
}
