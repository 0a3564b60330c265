import { parseSnapshotId } from '../snapshot.ts'
import type { Extension } from '../../wire/extension.ts'
import { usableSnapshot } from '../find.ts'

/** What a snapshot holds: the digest that names its whole disk, and how much of it was new. */
export const describeSnapshotContent: Extension = {
  kind: 'read',
  action: 'DescribeSnapshotContent',
  method: 'GET',
  path: '/imago/v1/snapshots/:id',
  async run({ input, db, caller, region }) {
    const id = parseSnapshotId(input.path['id'] ?? '')
    const snapshot = await usableSnapshot(db, { accountId: caller.accountId, region, id })
    const { state, volumeSizeGiB } = snapshot
    if (snapshot.state !== 'completed') return { snapshotId: id, state, volumeSizeGiB }
    const { manifest, parentSnapshotId, fullSizeBytes, addedBytes } = snapshot
    return {
      snapshotId: id,
      state,
      volumeSizeGiB,
      manifest,
      parentSnapshotId,
      fullSizeBytes,
      addedBytes,
    }
  },
}
