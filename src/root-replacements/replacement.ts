/**
 * The replacement of an instance's root volume by another, while the instance
 * stays what it is.
 *
 *   pending ─▶ in-progress ─▶ succeeded      pending, in-progress ─▶ failed      in-progress ─▶ failed-detached
 *
 * `pending` until the new volume is there. From `in-progress` on it is the
 * task's alone; `isSwapped` says which of the two the instance has.
 */
import { ApiError } from '../lib/errors.ts'
import { type Id, isId } from '../lib/ids.ts'

export type ReplacementId = Id<'replace-root-volume-task'>

export type ReplacementState =
  | 'pending'
  | 'in-progress'
  | 'failing'
  | 'succeeded'
  | 'failed'
  | 'failed-detached'

export interface Replacement {
  readonly id: ReplacementId
  readonly accountId: string
  readonly region: string
  readonly instanceId: Id<'instance'>
  readonly state: ReplacementState
  /** Why it failed, where it did. */
  readonly message: string | undefined
  readonly imageId: Id<'image'> | undefined
  readonly snapshotId: Id<'snapshot'> | undefined
  readonly oldVolumeId: Id<'volume'>
  readonly newVolumeId: Id<'volume'>
  /** The caller named the new volume, which so outlives a task that fails. */
  readonly isVolumeGiven: boolean
  readonly deletesReplaced: boolean
  readonly isSwapped: boolean
  readonly startedAt: Date
  /** When the guest was asked to shut down. */
  readonly begunAt: Date | undefined
  readonly endedAt: Date | undefined
}

export function parseReplacementId(text: string): ReplacementId {
  if (isId('replace-root-volume-task', text)) return text
  throw new ApiError(
    'InvalidReplaceRootVolumeTaskId.Malformed',
    `Invalid id: "${text}" (expecting "replacevol-...")`,
  )
}

export function replacementNotFound(id: string): ApiError {
  return new ApiError(
    'InvalidReplaceRootVolumeTaskId.NotFound',
    `The replace root volume task '${id}' does not exist.`,
  )
}
