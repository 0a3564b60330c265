/**
 * A snapshot: what a volume held at one moment, kept as blocks in the store.
 *
 *     pending ──▶ completed
 *        └──────▶ error
 *
 * Only a completed snapshot has a manifest, and each that has one is readable.
 */
import type { FreezeId } from '../freezes/freeze.ts'
import type { Digest } from '../lib/digest.ts'
import { ApiError, invalidParameterValue } from '../lib/errors.ts'
import { type Id, isId } from '../lib/ids.ts'
import { archivedCode } from './unknowns.ts'

interface Taken {
  readonly id: Id<'snapshot'>
  readonly accountId: string
  readonly region: string
  readonly volumeId: Id<'volume'>
  readonly volumeSizeGiB: number
  readonly description: string
  readonly startedAt: Date
  readonly progressPercent: number
  /** What makes it a point in time; nothing where it never was a volume of ours. */
  readonly freezeId: FreezeId | undefined
  /** The volume's layer that it goes up to; known once the freeze has begun. */
  readonly layer: number | undefined
  /** The copy of its volume that it is taken for: then nobody sees it, and it goes when that has it. */
  readonly copyVolumeId?: Id<'volume'>
  /** The ARN of the key that it is encrypted with; nothing where it is plain. */
  readonly kmsKeyArn?: string
  /** Since when it is in the Recycle Bin, and until when, where it is: then nobody can use it. */
  readonly recycledAt?: Date
  readonly recycleExitAt?: Date
  /** Nothing can be made of an archived one; one that is restored for some days is archived again. */
  readonly isArchived?: true
  readonly restoreExpiresAt?: Date
}

export type PendingSnapshot = Taken & { readonly state: 'pending' }

export type CompletedSnapshot = Taken & {
  readonly state: 'completed'
  readonly completedAt: Date
  /** The digest that names the whole disk. */
  readonly manifest: Digest
  /** The snapshot of the same volume before this one. */
  readonly parentSnapshotId: Id<'snapshot'> | undefined
  /** Bytes of all the blocks in use, and of those that came new into the store. */
  readonly fullSizeBytes: number
  readonly addedBytes: number
}

export type FailedSnapshot = Taken & { readonly state: 'error'; readonly stateMessage: string }

export type Snapshot = PendingSnapshot | CompletedSnapshot | FailedSnapshot
export type SnapshotState = Snapshot['state']

/** The volume that AWS names where a snapshot was made of no volume, such as one imported. */
export const noVolumeId: Id<'volume'> = 'vol-ffffffff'

export function parseSnapshotId(text: string): Id<'snapshot'> {
  if (isId('snapshot', text)) return text
  throw new ApiError('InvalidSnapshotID.Malformed', `Invalid id: "${text}" (expecting "snap-...")`)
}

export function snapshotNotFound(id: string): ApiError {
  return new ApiError('InvalidSnapshot.NotFound', `The snapshot '${id}' does not exist.`)
}

export function snapshotInUse(id: Id<'snapshot'>, imageId: Id<'image'>): ApiError {
  return new ApiError(
    'InvalidSnapshot.InUse',
    `The snapshot ${id} is currently in use by ${imageId}`,
  )
}

/** A snapshot that somebody wants to use has to be whole. */
export function requireCompleted(snapshot: Snapshot): CompletedSnapshot {
  if (snapshot.recycledAt) throw snapshotNotFound(snapshot.id)
  requireUnarchived(snapshot)
  if (snapshot.state === 'completed') return snapshot
  throw new ApiError(
    'IncorrectState',
    `The snapshot '${snapshot.id}' is not 'completed', it is '${snapshot.state}'.`,
  )
}

export function requireUnarchived({ id, isArchived }: Snapshot): void {
  if (!isArchived) return
  throw new ApiError(
    archivedCode,
    `The snapshot '${id}' is archived. Restore it before you use it.`,
  )
}

const descriptionMax = 255

export function checkSnapshotDescription(description: string | undefined): void {
  if (description === undefined || description.length <= descriptionMax) return
  throw invalidParameterValue(
    'description',
    description,
    `It must have at most ${descriptionMax} characters.`,
  )
}

/** Snapshots are kept in the Region: there are no Local Zones and no Outposts. */
export function checkSnapshotPlace(place: {
  readonly Location?: string | undefined
  readonly OutpostArn?: string | undefined
}): void {
  const { Location = 'regional', OutpostArn } = place
  if (Location === 'regional' && OutpostArn === undefined) return
  throw new ApiError(
    'UnsupportedOperation',
    'Snapshots in Local Zones and on Outposts are not supported by Imago.',
  )
}
