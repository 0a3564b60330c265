/**
 * A change of a volume: it grows, or becomes of another type, while it is used.
 *
 *   modifying ─▶ optimizing ─▶ completed        modifying ─▶ failed
 *
 * The volume's own row says what it shall be from the call on, so that every
 * snapshot from then on has the new size; `modifying` is owed until its files
 * and its guest have it too.
 */
import { ApiError } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'
import type { VolumeShape } from '../volumes/volume-type.ts'
import { modificationsMax, modificationWindowMs, rateText } from './unknowns.ts'

export type ModificationState = 'modifying' | 'optimizing' | 'completed' | 'failed'

export interface Modification {
  readonly volumeId: Id<'volume'>
  /** The first change of a volume is number 1. */
  readonly number: number
  readonly accountId: string
  readonly region: string
  readonly state: ModificationState
  readonly message: string | undefined
  readonly original: VolumeShape
  readonly target: VolumeShape
  readonly startedAt: Date
  readonly endedAt: Date | undefined
}

/** Refuses a change while another is under way, or when there were too many lately. */
export function checkModifiable(
  volumeId: Id<'volume'>,
  earlier: readonly Modification[],
  now: Date,
): void {
  const underWay = earlier.find(({ state }) => state === 'modifying' || state === 'optimizing')
  if (underWay) {
    throw new ApiError(
      'IncorrectModificationState',
      `Volume ${volumeId} cannot be modified in modification state ${underWay.state.toUpperCase()}`,
    )
  }
  const since = now.getTime() - modificationWindowMs
  const lately = earlier.filter(
    ({ state, startedAt }) => state !== 'failed' && startedAt.getTime() > since,
  )
  if (lately.length >= modificationsMax)
    throw new ApiError('VolumeModificationRateExceeded', rateText)
}
