/**
 * A task that brings disks in from buckets and URLs: one as a snapshot, or some as an
 * image. It is listed for seven days after its end.
 *
 *   active ──▶ completed              active ──▶ deleting (cancelled) ──▶ deleted
 *      └─────▶ deleted (it could not be done: its message says why)
 */
import type { Digest } from '../lib/digest.ts'
import { ApiError } from '../lib/errors.ts'
import { type Id, isId } from '../lib/ids.ts'
import type { Container } from './container.ts'
import { taskNotFoundCode, tasksAtOnceMax } from './unknowns.ts'

export type ImportTaskId = Id<'import-snapshot-task'> | Id<'import-image-task'>
export type TaskState = 'active' | 'deleting' | 'completed' | 'deleted'

/** What the image shall be, as far as the call says it. */
export interface ImageRequest {
  readonly architecture: 'x86_64' | 'arm64'
  readonly platform?: 'Windows' | 'Linux' | undefined
  readonly bootMode?: 'legacy-bios' | 'uefi' | undefined
  readonly licenseType?: string | undefined
  readonly usageOperation?: string | undefined
}

/** What has become of a disk so far. */
export interface TaskDisk {
  readonly format?: string
  /** Of the file that it came in. */
  readonly fileBytes?: number
  readonly sizeBytes?: number
  readonly manifest?: Digest
  readonly snapshotId?: Id<'snapshot'>
}

export interface ImportTask {
  readonly id: ImportTaskId
  readonly accountId: string
  readonly region: string
  readonly description: string | undefined
  readonly containers: readonly Container[]
  /** Nothing where a snapshot is made. */
  readonly image: ImageRequest | undefined
  /** The key that what is made is encrypted with, where it is. */
  readonly kmsKeyArn?: string
  readonly state: TaskState
  /** What is going on, or what went wrong. */
  readonly message: string
  readonly progressPercent: number
  /** In the order of the containers. */
  readonly disks: readonly TaskDisk[]
  readonly imageId: Id<'image'> | undefined
  readonly createdAt: Date
  readonly endedAt: Date | undefined
}

export const listedForMs = 7 * 24 * 60 * 60 * 1000

export function parseTaskId(
  text: string,
  kinds: readonly ('import-snapshot-task' | 'import-image-task')[],
): ImportTaskId {
  const kind = kinds.find((one) => isId(one, text))
  if (kind) return text as ImportTaskId
  throw taskNotFound(text)
}

export const taskNotFound = (id: string): ApiError =>
  new ApiError(taskNotFoundCode, `The specified import task ID ${id.slice(0, 100)} is not valid.`)

export function checkTaskCount(underWay: number): void {
  if (underWay < tasksAtOnceMax) return
  throw new ApiError(
    'ResourceLimitExceeded',
    `Too many import tasks in progress. The limit is ${tasksAtOnceMax} for this region.`,
  )
}
