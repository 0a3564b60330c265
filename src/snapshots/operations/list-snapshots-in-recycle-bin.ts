/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ListSnapshotsInRecycleBin.html */
import type {
  ListSnapshotsInRecycleBinRequest,
  ListSnapshotsInRecycleBinResult,
} from '@aws-sdk/client-ec2'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { listRecycledSnapshots } from '../life-store.ts'
import { parseSnapshotId, snapshotNotFound } from '../snapshot.ts'

export const listSnapshotsInRecycleBin = readOperation<
  ListSnapshotsInRecycleBinRequest,
  ListSnapshotsInRecycleBinResult
>({
  action: 'ListSnapshotsInRecycleBin',
  async run({ input, db, caller, region }) {
    const ids = input.SnapshotIds?.length ? input.SnapshotIds.map(parseSnapshotId) : undefined
    const all = await listRecycledSnapshots(db, { accountId: caller.accountId, region, ids })
    const missing = ids?.find((id) => !all.some((snapshot) => snapshot.id === id))
    if (missing) throw snapshotNotFound(missing)
    const { items, NextToken } = page(all, input, ({ id }) => id)
    const Snapshots = items.map((snapshot) => ({
      SnapshotId: snapshot.id,
      VolumeId: snapshot.volumeId,
      Description: snapshot.description,
      RecycleBinEnterTime: snapshot.recycledAt,
      RecycleBinExitTime: snapshot.recycleExitAt,
    }))
    return { Snapshots, ...(NextToken && { NextToken }) }
  },
})
