/**
 * A task that stores an image as an object in a bucket.
 *
 *     InProgress ──▶ Completed
 *         └────────▶ Failed
 *
 * `Completed` is only said when the object is there, whole and synced.
 */
import { ApiError } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'
import { badObjectCode, cannotStoreCode, storedAlreadyCode, tooMuchCode } from './unknowns.ts'

export type StoreTaskState = 'InProgress' | 'Completed' | 'Failed'

/** Where an object is. */
interface ObjectPlace {
  readonly accountId: string
  readonly region: string
  readonly bucket: string
  readonly key: string
}

export interface StoreTask extends ObjectPlace {
  /** Begins with the time, so that tasks are in its order. */
  readonly id: string
  readonly imageId: Id<'image'>
  readonly state: StoreTaskState
  readonly failureReason: string | undefined
  readonly progressPercent: number
  readonly startedAt: Date
  readonly sizeGiB: number
  /** The bytes of the description, as they are to be in the object. */
  readonly description: string
}

/** An image that is made of an object. */
export interface Restore extends ObjectPlace {
  readonly imageId: Id<'image'>
  /** In the order of the object's disks. */
  readonly snapshotIds: readonly Id<'snapshot'>[]
  /** The description that the call has seen: the object must be that one still. */
  readonly descriptionDigest: string
  readonly sizeGiB: number
}

export function formatTaskId(now: Date, random: Uint8Array): string {
  return `${now.getTime().toString(16).padStart(12, '0')}-${Buffer.from(random).toString('hex')}`
}

export const objectKeyOf = (id: Id<'image'>): string => `${id}.bin`

/** How long tasks are listed. */
const keptMs = 31 * 24 * 60 * 60 * 1000

export const startedBefore = (now: Date): Date => new Date(now.getTime() - keptMs)

/** What can be stored, of one image and by one account at once, and what can be restored at once. */
export const imageGiBMax = 5000
export const storingGiBMax = 600
export const restoringGiBMax = 300

export function noSuchBucket(bucket: string): ApiError {
  return new ApiError('NoSuchBucket', `The specified bucket does not exist: ${bucket}`)
}

export function noSuchKey(key: string): ApiError {
  return new ApiError('NoSuchKey', `The specified key does not exist: ${key}`)
}

export function cannotStore(why: string): ApiError {
  return new ApiError(cannotStoreCode, why)
}

export function storedAlready({ imageId, bucket }: Pick<StoreTask, 'imageId' | 'bucket'>) {
  return new ApiError(
    storedAlreadyCode,
    `The bucket ${bucket} has the image ${imageId} already, or it is being stored there.`,
  )
}

export function badObject(why: string): ApiError {
  return new ApiError(badObjectCode, why)
}

/** More may be begun until that much is under way; the last one may be as large as it is. */
export function checkUnderWay(underWayGiB: number, giBMax: number): void {
  if (underWayGiB < giBMax) return
  throw new ApiError(
    tooMuchCode,
    `${underWayGiB} GB of snapshots are in progress already. The limit is ${giBMax} GB.`,
  )
}
