/**
 * A snapshot that is written block by block through the EBS direct APIs.
 *
 *     open ──▶ sealing ──▶ done        open: blocks come; too long without one, and it fails
 *       └─────────┴──▶ (gone)          sealing: its manifest is owed
 *
 * The snapshot itself is pending until it is done. Its blocks are rows until then.
 */
import { type Digest, isDigest } from '../lib/digest.ts'
import { ApiError } from '../lib/errors.ts'
import { type Id, isId } from '../lib/ids.ts'

export interface DirectSnapshot {
  readonly id: Id<'snapshot'>
  readonly state: 'open' | 'sealing' | 'done'
  readonly parentSnapshotId: Id<'snapshot'> | undefined
  /** What it begins with; the parent itself may be deleted meanwhile. */
  readonly parentManifest: Digest | undefined
  readonly timeoutMinutes: number
  /** When it was started, or the last block came. */
  readonly touchedAt: Date
  /** How many blocks were put, once it is said that these are all. */
  readonly changedBlocksCount: number | undefined
}

export const directBlockSizeBytes = 512 * 1024
/** How many blocks a disk has. */
export const blocksOf = (sizeGiB: number): number => sizeGiB * (2 ** 30 / directBlockSizeBytes)
export const volumeSizeGiBMax = 65_536
const timeoutMinutes = { min: 10, max: 4320, usual: 60 } as const
/** How many snapshots of an account may be open in a Region. */
export const openMax = 100

/** What the service says beside the code of an error. */
export type Reason =
  | 'INVALID_CUSTOMER_KEY'
  | 'INVALID_BLOCK'
  | 'INVALID_BLOCK_TOKEN'
  | 'INVALID_PAGE_TOKEN'
  | 'INVALID_PARAMETER_VALUE'
  | 'INVALID_SNAPSHOT_ID'
  | 'INVALID_TAG'
  | 'INVALID_VOLUME_SIZE'
  | 'UNRELATED_SNAPSHOTS'
  | 'WRITE_REQUEST_TIMEOUT'

export const invalid = (reason: Reason, message: string): ApiError =>
  new ApiError('ValidationException', message, { reason })

export function noSuchSnapshot(id: string): ApiError {
  const message = `The snapshot '${id}' does not exist.`
  return new ApiError('ResourceNotFoundException', message, { reason: 'SNAPSHOT_NOT_FOUND' })
}

export function readSnapshotId(text: string | undefined): Id<'snapshot'> {
  if (text !== undefined && isId('snapshot', text)) return text
  throw invalid('INVALID_SNAPSHOT_ID', `The snapshot ID '${(text ?? '').slice(0, 64)}' is invalid.`)
}

export function readVolumeSize(sizeGiB: number | undefined): number {
  if (sizeGiB !== undefined && sizeGiB >= 1 && sizeGiB <= volumeSizeGiBMax) return sizeGiB
  throw invalid(
    'INVALID_VOLUME_SIZE',
    `The volume size must be from 1 GiB to ${volumeSizeGiBMax} GiB.`,
  )
}

export function readTimeout(minutes: number = timeoutMinutes.usual): number {
  const { min, max } = timeoutMinutes
  if (minutes >= min && minutes <= max) return minutes
  throw invalid('INVALID_PARAMETER_VALUE', `The timeout must be from ${min} to ${max} minutes.`)
}

/** A place on a disk of that size. */
export function readBlockIndex(index: number | undefined, sizeGiB: number): number {
  if (index !== undefined && index >= 0 && index < blocksOf(sizeGiB)) return index
  throw invalid(
    'INVALID_BLOCK',
    `The block index ${index} is not on a volume of ${sizeGiB} GiB: ` +
      `it has ${blocksOf(sizeGiB)} blocks.`,
  )
}

export function checkAlgorithm(algorithm: string | undefined): void {
  if (algorithm === undefined || algorithm === 'SHA256') return
  throw invalid('INVALID_PARAMETER_VALUE', 'The only supported checksum algorithm is SHA256.')
}

export function hasTimedOut(snapshot: DirectSnapshot, now: Date): boolean {
  const { state, touchedAt, timeoutMinutes: minutes } = snapshot
  return state === 'open' && now.getTime() > touchedAt.getTime() + minutes * 60_000
}

/** A digest as the direct APIs write it. */
export const checksumOf = (digest: Digest): string => bytesOfDigest(digest).toString('base64')

/** Nothing where the text is none. */
export function digestOfChecksum(checksum: string): Digest | undefined {
  const digest = `sha256:${Buffer.from(checksum, 'base64').toString('hex')}`
  // There is one way to write it.
  return isDigest(digest) && checksumOf(digest) === checksum ? digest : undefined
}

export const bytesOfDigest = (digest: Digest): Buffer =>
  Buffer.from(digest.slice('sha256:'.length), 'hex')
