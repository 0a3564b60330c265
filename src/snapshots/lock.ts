/**
 * The lock of a snapshot, which keeps it from being deleted.
 *
 *     governance ◀──▶ compliance-cooloff ──▶ compliance ──▶ expired
 *          └──────────────────────────────────────────────────▲
 *
 * It moves on by time alone: the state is never stored. Its time begins when the
 * snapshot is completed. After the cooling-off period it can only be made longer.
 */
import { ApiError, invalidParameterValue, missingParameter } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'
import type { Snapshot } from './snapshot.ts'
import { lockedCode } from './unknowns.ts'

export type LockMode = 'governance' | 'compliance'
export type LockState = 'governance' | 'compliance-cooloff' | 'compliance' | 'expired'

export interface SnapshotLock {
  readonly snapshotId: Id<'snapshot'>
  readonly mode: LockMode
  readonly coolOffHours: number | undefined
  /** When the snapshot was locked first, and when the lock got the form that it has. */
  readonly createdAt: Date
  readonly changedAt: Date
  /** How long it holds: so many days, or until a date. */
  readonly holds: { readonly days: number } | { readonly until: Date }
}

export interface LockRequest {
  readonly LockMode?: string | undefined
  readonly CoolOffPeriod?: number | undefined
  readonly LockDuration?: number | undefined
  readonly ExpirationDate?: Date | undefined
}

const hourMs = 60 * 60 * 1000
const dayMs = 24 * hourMs
const coolOffHoursMax = 72
export const lockDaysMax = 36_500

export function snapshotLocked(id: Id<'snapshot'>): ApiError {
  return new ApiError(lockedCode, `The snapshot '${id}' is locked.`)
}

/** Reads and checks what a call wants a lock to be. */
export function readLockRequest(
  input: LockRequest,
  now: Date,
): Pick<SnapshotLock, 'mode' | 'coolOffHours' | 'holds'> {
  const { LockMode = '', CoolOffPeriod: coolOffHours, LockDuration, ExpirationDate } = input
  if (LockMode !== 'governance' && LockMode !== 'compliance') {
    throw invalidParameterValue('lockMode', LockMode, 'It must be governance or compliance.')
  }
  if (coolOffHours !== undefined) {
    if (LockMode === 'governance') {
      throw new ApiError(
        'InvalidParameterCombination',
        'The parameter CoolOffPeriod cannot be used with the lock mode governance.',
      )
    }
    if (coolOffHours < 1 || coolOffHours > coolOffHoursMax) {
      const rule = `It must be from 1 to ${coolOffHoursMax} hours.`
      throw invalidParameterValue('coolOffPeriod', String(coolOffHours), rule)
    }
  }
  return { mode: LockMode, coolOffHours, holds: readTime(LockDuration, ExpirationDate, now) }
}

function readTime(
  days: number | undefined,
  until: Date | undefined,
  now: Date,
): SnapshotLock['holds'] {
  if (days !== undefined && until) {
    throw new ApiError(
      'InvalidParameterCombination',
      'The parameters LockDuration and ExpirationDate cannot be used together.',
    )
  }
  if (days !== undefined) {
    if (days >= 1 && days <= lockDaysMax) return { days }
    const rule = `It must be from 1 to ${lockDaysMax} days.`
    throw invalidParameterValue('lockDuration', String(days), rule)
  }
  if (!until) throw missingParameter('LockDuration or ExpirationDate')
  const aheadMs = until.getTime() - now.getTime()
  if (aheadMs > 0 && aheadMs <= lockDaysMax * dayMs) return { until }
  const rule = `It must be in the future, and at most ${lockDaysMax} days ahead.`
  throw invalidParameterValue('expirationDate', until.toISOString(), rule)
}

/** When its time began: not before there is a whole snapshot. */
export function lockStart(lock: SnapshotLock, snapshot: Snapshot): Date | undefined {
  if (snapshot.state === 'pending') return undefined
  const completedAt = snapshot.state === 'completed' ? snapshot.completedAt : lock.changedAt
  return completedAt > lock.changedAt ? completedAt : lock.changedAt
}

export function lockEnd(lock: SnapshotLock, snapshot: Snapshot): Date | undefined {
  if ('until' in lock.holds) return lock.holds.until
  const start = lockStart(lock, snapshot)
  return start && new Date(start.getTime() + lock.holds.days * dayMs)
}

export function coolOffEnd({ coolOffHours, changedAt }: SnapshotLock): Date | undefined {
  return coolOffHours === undefined
    ? undefined
    : new Date(changedAt.getTime() + coolOffHours * hourMs)
}

export function snapshotLockState(lock: SnapshotLock, snapshot: Snapshot, now: Date): LockState {
  const end = lockEnd(lock, snapshot)
  if (end && end <= now) return 'expired'
  if (lock.mode === 'governance') return 'governance'
  const cool = coolOffEnd(lock)
  return cool && cool > now ? 'compliance-cooloff' : 'compliance'
}

/** Refuses what makes a lock weaker that can only be made longer. */
export function checkLockChange(
  before: SnapshotLock,
  after: SnapshotLock,
  snapshot: Snapshot,
  now: Date,
): void {
  if (snapshotLockState(before, snapshot, now) !== 'compliance') return
  const id = snapshot.id
  const refused = (why: string) =>
    new ApiError(lockedCode, `The snapshot '${id}' is locked in compliance mode: ${why}`)
  if (after.mode !== 'compliance') throw refused('the lock mode cannot be changed.')
  if (after.coolOffHours !== undefined) throw refused('there can be no cooling-off period.')
  if (mayEndEarlier(before, after, snapshot)) throw refused('the lock can only be extended.')
}

/** The days of a pending snapshot have not begun: nobody knows on which date they are over. */
function mayEndEarlier(before: SnapshotLock, after: SnapshotLock, snapshot: Snapshot): boolean {
  const [from, to] = [lockEnd(before, snapshot), lockEnd(after, snapshot)]
  if (from && to) return to < from
  if (!('days' in after.holds)) return true
  if ('days' in before.holds) return after.holds.days < before.holds.days
  return after.changedAt.getTime() + after.holds.days * dayMs < before.holds.until.getTime()
}
