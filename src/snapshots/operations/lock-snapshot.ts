/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LockSnapshot.html */
import type { LockSnapshotRequest, LockSnapshotResult } from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { lockSnapshotDemands } from '../demands.ts'
import { ownSnapshot } from '../find.ts'
import { claimSnapshot } from '../life-store.ts'
import { checkLockChange, readLockRequest, type SnapshotLock, snapshotLockState } from '../lock.ts'
import { findLock, putLock } from '../lock-store.ts'
import { viewLock } from '../lock-view.ts'
import { snapshotNotFound } from '../snapshot.ts'

export const lockSnapshot = writeOperation<LockSnapshotRequest, LockSnapshotResult>({
  action: 'LockSnapshot',
  demands: lockSnapshotDemands,
  async run({ input, tx, caller, region, now }) {
    const wanted = readLockRequest(input, now)
    const { accountId } = caller
    const { id } = await ownSnapshot(tx, { accountId, region, id: input.SnapshotId })
    if (!(await claimSnapshot(tx, id))) throw snapshotNotFound(id)
    // It may have been completed meanwhile.
    const snapshot = await ownSnapshot(tx, { accountId, region, id })
    if (snapshot.state === 'error') {
      throw new ApiError('IncorrectState', `The snapshot '${id}' is in the 'error' state.`)
    }
    const found = await findLock(tx, id)
    const isOver = found && snapshotLockState(found, snapshot, now) === 'expired'
    const before = isOver ? undefined : found
    const createdAt = before?.createdAt ?? now
    const lock: SnapshotLock = { snapshotId: id, ...wanted, createdAt, changedAt: now }
    if (before) checkLockChange(before, lock, snapshot, now)
    await putLock(tx, lock)
    return viewLock(lock, snapshot, now)
  },
})
