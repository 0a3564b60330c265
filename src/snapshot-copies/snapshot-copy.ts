/**
 * A copy of a snapshot, in another Region or for another account of the same block
 * store: it names the same manifest, so no block is moved. The copy names the
 * manifest from the call on, so the source may go while the copy is pending.
 */
import type { Digest } from '../lib/digest.ts'
import { ApiError, invalidParameterValue, unsupportedParameter } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'

export interface SnapshotCopy {
  /** The snapshot that is made. */
  readonly id: Id<'snapshot'>
  readonly accountId: string
  readonly region: string
  readonly sourceId: Id<'snapshot'>
  readonly sourceRegion: string
  readonly manifest: Digest
  readonly fullSizeBytes: number
  /** The ARN of the key of what is copied, which is not always the copy's own; nothing where it is plain. */
  readonly sourceKmsKeyArn?: string | undefined
  /** By when the caller wants it, where it said so. */
  readonly completionMinutes: number | undefined
}

/** How many copies of an account may be under way to one Region, as in EC2. */
export const copiesAtOnceMax = 20

export function tooManyCopies(): ApiError {
  return new ApiError(
    'ResourceLimitExceeded',
    `Too many snapshot copies in progress. The limit is ${copiesAtOnceMax} for this destination region.`,
  )
}

/** A Region to copy from has to be one of the installation's. */
export function checkSourceRegion(region: string, regions: readonly string[]): void {
  if (regions.includes(region)) return
  throw new ApiError('InvalidRegion', `The region '${region}' is not valid.`)
}

const stepMinutes = 15
const minutesMax = 48 * 60

/** A copy can be timed in steps of 15 minutes, up to 48 hours; ours are there at once. */
export function checkCompletionMinutes(name: string, minutes: number | undefined): void {
  if (minutes === undefined) return
  if (minutes >= stepMinutes && minutes <= minutesMax && minutes % stepMinutes === 0) return
  throw invalidParameterValue(
    name,
    String(minutes),
    `It must be a multiple of ${stepMinutes}, from ${stepMinutes} to ${minutesMax}.`,
  )
}

/** There are no Local Zones and no Outposts to copy to. */
export function checkCopyPlace(input: {
  readonly DestinationOutpostArn?: string | undefined
  readonly DestinationAvailabilityZone?: string | undefined
  readonly DestinationAvailabilityZoneId?: string | undefined
}): void {
  for (const name of [
    'DestinationOutpostArn',
    'DestinationAvailabilityZone',
    'DestinationAvailabilityZoneId',
  ] as const) {
    if (input[name]) throw unsupportedParameter(name)
  }
}

export function transferTypeOf({ completionMinutes }: SnapshotCopy): 'standard' | 'time-based' {
  return completionMinutes === undefined ? 'standard' : 'time-based'
}
