/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RestoreSnapshotFromRecycleBin.html */
import type {
  RestoreSnapshotFromRecycleBinRequest,
  RestoreSnapshotFromRecycleBinResult,
} from '@aws-sdk/client-ec2'
import { unmarkRecycled } from '../../recycle-bin/mark.ts'
import { writeOperation } from '../../wire/operation.ts'
import { listRecycledSnapshots, restoreRecycledSnapshot } from '../life-store.ts'
import { parseSnapshotId, snapshotNotFound } from '../snapshot.ts'
import { viewTaken } from '../view.ts'

export const restoreSnapshotFromRecycleBin = writeOperation<
  RestoreSnapshotFromRecycleBinRequest,
  RestoreSnapshotFromRecycleBinResult
>({
  action: 'RestoreSnapshotFromRecycleBin',
  async run({ input, tx, caller, region }) {
    const { accountId } = caller
    const id = parseSnapshotId(input.SnapshotId ?? '')
    const [snapshot] = await listRecycledSnapshots(tx, { accountId, region, ids: [id] })
    if (!snapshot || !(await restoreRecycledSnapshot(tx, id))) throw snapshotNotFound(id)
    await unmarkRecycled(tx, snapshot)
    const { Tags: _, ...shown } = viewTaken(snapshot, undefined)
    return { ...shown, Progress: `${snapshot.progressPercent}%` }
  },
})
