/**
 * A volume: a disk of a zone, made blank or from a snapshot.
 *
 *   creating ─▶ available ⇄ in-use        creating ─▶ error
 *                   └─▶ deleting ─▶ (gone) ◀─ deleting ◀─┘
 *
 * It is `in-use` from the moment that an attachment is recorded.
 */
import { ApiError } from '../lib/errors.ts'
import type { Digest } from '../lib/digest.ts'
import { type Id, isId } from '../lib/ids.ts'
import { copyTooSmallCode } from './unknowns.ts'
import type { VolumeType } from './volume-type.ts'

export type VolumeState = 'creating' | 'available' | 'in-use' | 'deleting' | 'error'

export interface Volume {
  readonly id: Id<'volume'>
  readonly accountId: string
  readonly region: string
  readonly availabilityZone: string
  readonly sizeGiB: number
  readonly type: VolumeType
  readonly iops: number | undefined
  readonly throughput: number | undefined
  /** In MiB/s: how fast the caller wanted it to be filled. */
  readonly initializationRate?: number
  /** Its base was made ready ahead. */
  readonly isFastRestored?: true
  readonly snapshotId: Id<'snapshot'> | undefined
  /** The volume that it is a copy of. Until the copied moment is stored, it has no `baseManifest`. */
  readonly sourceVolumeId?: Id<'volume'>
  readonly state: VolumeState
  /** Why it could not be made, where it could not. */
  readonly stateMessage?: string
  readonly createdAt: Date
  /** The disk that its first layer lies over; none for a blank volume. */
  readonly baseManifest: Digest | undefined
  /** What the layers up to `knownLayer` hold is `knownManifest`. Layer 0 is the base. */
  readonly knownLayer: number
  readonly knownManifest: Digest | undefined
  readonly knownSnapshotId: Id<'snapshot'> | undefined
  /** The ARN of the key that its layers and snapshots are encrypted with; nothing where it is plain. */
  readonly kmsKeyArn?: string
  /** That of the base, which may be another one or none. What is known is under the volume's own. */
  readonly baseKmsKeyArn?: string
  /** Since when it is in the Recycle Bin, and until when, where it is: then nobody can use it. */
  readonly recycledAt?: Date
  readonly recycleExitAt?: Date
}

export const bytesPerGiB = 2 ** 30

/** Tells a volume's id from other text. */
export function parseVolumeId(text: string): Id<'volume'> {
  if (isId('volume', text)) return text
  throw new ApiError('InvalidVolumeID.Malformed', `Invalid id: "${text}" (expecting "vol-...")`)
}

export function volumeNotFound(id: string): ApiError {
  return new ApiError('InvalidVolume.NotFound', `The volume '${id}' does not exist.`)
}

/** A volume cannot be smaller than what is to lie in it. */
export function smallerThanSnapshot(
  code: 'InvalidParameterValue' | 'InvalidBlockDeviceMapping',
  sizeGiB: number,
  snapshot: { readonly id: string; readonly volumeSizeGiB: number },
): ApiError {
  return new ApiError(
    code,
    `Volume of size ${sizeGiB}GB is smaller than snapshot '${snapshot.id}', expect size >= ${snapshot.volumeSizeGiB}GB`,
  )
}

/** A copy holds all of its source. */
export function smallerThanSource(
  sizeGiB: number,
  source: { readonly id: string; readonly sizeGiB: number },
): ApiError {
  return new ApiError(
    copyTooSmallCode,
    `Volume of size ${sizeGiB}GB is smaller than volume '${source.id}', expect size >= ${source.sizeGiB}GB`,
  )
}
