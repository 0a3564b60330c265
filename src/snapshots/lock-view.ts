/** A lock as EC2 answers it. */
import type { LockedSnapshotsInfo } from '@aws-sdk/client-ec2'
import { coolOffEnd, lockEnd, lockStart, type SnapshotLock, snapshotLockState } from './lock.ts'
import type { Snapshot } from './snapshot.ts'

const dayMs = 24 * 60 * 60 * 1000

export function viewLock(
  lock: SnapshotLock,
  snapshot: Snapshot,
  now: Date,
): Omit<LockedSnapshotsInfo, 'OwnerId'> {
  const { holds, changedAt } = lock
  const LockDuration =
    'days' in holds
      ? holds.days
      : Math.max(1, Math.ceil((holds.until.getTime() - changedAt.getTime()) / dayMs))
  return {
    SnapshotId: snapshot.id,
    LockState: snapshotLockState(lock, snapshot, now),
    LockDuration,
    CoolOffPeriod: lock.coolOffHours,
    CoolOffPeriodExpiresOn: coolOffEnd(lock),
    LockCreatedOn: lock.createdAt,
    LockDurationStartTime: lockStart(lock, snapshot),
    LockExpiresOn: lockEnd(lock, snapshot),
  }
}
