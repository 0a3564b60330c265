/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySnapshotTier.html */
import type { ModifySnapshotTierRequest, ModifySnapshotTierResult } from '@aws-sdk/client-ec2'
import { findImageInUse } from '../../images/store.ts'
import { ApiError, invalidParameterValue } from '../../lib/errors.ts'
import { modifySnapshotTierDemands } from '../../snapshots/demands.ts'
import { ownSnapshot } from '../../snapshots/find.ts'
import { claimSnapshot } from '../../snapshots/life-store.ts'
import { requireCompleted, snapshotInUse, snapshotNotFound } from '../../snapshots/snapshot.ts'
import { archivedCode } from '../../snapshots/unknowns.ts'
import { requireReadable } from '../../volumes/encryption.ts'
import { writeOperation } from '../../wire/operation.ts'
import { findTiering, putTiering } from '../store.ts'
import { tieringActions } from '../tiering.ts'

export const modifySnapshotTier = writeOperation<
  ModifySnapshotTierRequest,
  ModifySnapshotTierResult
>({
  action: 'ModifySnapshotTier',
  demands: modifySnapshotTierDemands,
  async run(call) {
    const { input, tx, caller, region, now } = call
    const { StorageTier: tier = 'archive', SnapshotId } = input
    if (tier !== 'archive') throw invalidParameterValue('storageTier', tier, 'It must be archive.')
    const { accountId } = caller
    const { id } = await ownSnapshot(tx, { accountId, region, id: SnapshotId })
    // Its image and its state are looked at while nobody can change them.
    if (!(await claimSnapshot(tx, id))) throw snapshotNotFound(id)
    const snapshot = requireCompleted(await ownSnapshot(tx, { accountId, region, id }))
    await requireReadable(call, snapshot, tieringActions)
    const imageId = await findImageInUse(tx, id)
    if (imageId) throw snapshotInUse(id, imageId)
    const before = await findTiering(tx, id)
    if (before?.progress === 'in-progress' || snapshot.restoreExpiresAt) {
      const why = snapshot.restoreExpiresAt ? 'restored for some days' : 'on its way already'
      throw new ApiError(archivedCode, `The snapshot '${id}' is ${why}.`)
    }
    await putTiering(tx, {
      snapshotId: id,
      operation: 'archival',
      progress: 'in-progress',
      detail: '',
      startedAt: now,
      archivedAt: undefined,
      restoreDays: undefined,
    })
    return { SnapshotId: id, TieringStartTime: now }
  },
})
