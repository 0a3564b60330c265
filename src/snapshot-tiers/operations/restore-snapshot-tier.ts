/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RestoreSnapshotTier.html */
import type { RestoreSnapshotTierRequest, RestoreSnapshotTierResult } from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { ownSnapshot } from '../../snapshots/find.ts'
import { claimSnapshot } from '../../snapshots/life-store.ts'
import { snapshotNotFound } from '../../snapshots/snapshot.ts'
import { archivedCode } from '../../snapshots/unknowns.ts'
import { requireReadable } from '../../volumes/encryption.ts'
import { writeOperation } from '../../wire/operation.ts'
import { findTiering, putTiering } from '../store.ts'
import { readRestore, tieringActions } from '../tiering.ts'

export const restoreSnapshotTier = writeOperation<
  RestoreSnapshotTierRequest,
  RestoreSnapshotTierResult
>({
  action: 'RestoreSnapshotTier',
  async run(call) {
    const { input, tx, caller, region, now } = call
    const wanted = readRestore(input)
    const { accountId } = caller
    const { id } = await ownSnapshot(tx, { accountId, region, id: input.SnapshotId })
    if (!(await claimSnapshot(tx, id))) throw snapshotNotFound(id)
    const snapshot = await ownSnapshot(tx, { accountId, region, id })
    await requireReadable(call, snapshot, tieringActions)
    const before = await findTiering(tx, id)
    // One that is restored for some days can be had for longer, or for good.
    const isArchived = snapshot.isArchived || snapshot.restoreExpiresAt !== undefined
    if (!before || !isArchived) {
      throw new ApiError(archivedCode, `The snapshot '${id}' is not archived.`)
    }
    if (before.progress === 'in-progress') {
      throw new ApiError(archivedCode, `The snapshot '${id}' is on its way already.`)
    }
    const started = { progress: 'in-progress', detail: '', startedAt: now } as const
    await putTiering(tx, { ...before, ...wanted, ...started })
    return {
      SnapshotId: id,
      RestoreStartTime: now,
      RestoreDuration: wanted.restoreDays,
      IsPermanentRestore: wanted.operation === 'permanent-restore',
    }
  },
})
