/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UnlockSnapshot.html */
import type { UnlockSnapshotRequest, UnlockSnapshotResult } from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { ownSnapshot } from '../find.ts'
import { claimSnapshot } from '../life-store.ts'
import { snapshotLockState } from '../lock.ts'
import { deleteLock, findLock } from '../lock-store.ts'
import { snapshotNotFound } from '../snapshot.ts'
import { lockedCode, notLockedCode } from '../unknowns.ts'

export const unlockSnapshot = writeOperation<UnlockSnapshotRequest, UnlockSnapshotResult>({
  action: 'UnlockSnapshot',
  async run({ input, tx, caller, region, now }) {
    const { accountId } = caller
    const snapshot = await ownSnapshot(tx, { accountId, region, id: input.SnapshotId })
    const { id } = snapshot
    if (!(await claimSnapshot(tx, id))) throw snapshotNotFound(id)
    const lock = await findLock(tx, id)
    const state = lock && snapshotLockState(lock, snapshot, now)
    if (state === undefined || state === 'expired') {
      throw new ApiError(notLockedCode, `The snapshot '${id}' is not locked.`)
    }
    if (state === 'compliance') {
      throw new ApiError(
        lockedCode,
        `The snapshot '${id}' is locked in compliance mode, and cannot be unlocked.`,
      )
    }
    await deleteLock(tx, id)
    return { SnapshotId: id }
  },
})
