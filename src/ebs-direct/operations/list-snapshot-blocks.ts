/** https://docs.aws.amazon.com/ebs/latest/APIReference/API_ListSnapshotBlocks.html */
import type { ListSnapshotBlocksRequest, ListSnapshotBlocksResponse } from '@aws-sdk/client-ebs'
import { digestOfKey } from '../../block-store/block.ts'
import { keyAt } from '../../block-store/manifest.ts'
import { readOperation } from '../../wire/operation.ts'
import { positionOf } from '../changed-blocks.ts'
import { directBlockSizeBytes } from '../direct-snapshot.ts'
import { onSnapshots, readableSnapshot } from '../find.ts'
import { readDisk } from '../opened.ts'
import { readBlockPage } from '../page.ts'
import { formatBlockToken } from '../token.ts'

export const listSnapshotBlocks = readOperation<
  ListSnapshotBlocksRequest,
  ListSnapshotBlocksResponse
>({
  service: 'ebs',
  action: 'ListSnapshotBlocks',
  demands: ({ SnapshotId }, context) => onSnapshots('ListSnapshotBlocks', [SnapshotId], context),

  async run(call) {
    const { input, db, readers } = call
    const snapshot = await readableSnapshot(db, call, input.SnapshotId)
    const { id, volumeSizeGiB } = snapshot
    const { start, count, expiresAt, tokenOf } = readBlockPage(input, call, id)
    const manifest = await readDisk(call, snapshot)
    const from = positionOf(manifest, start)
    const next = manifest.indexes[from + count]
    const Blocks = [...manifest.indexes.subarray(from, from + count)].map((index, position) => ({
      BlockIndex: index,
      BlockToken: formatBlockToken(
        readers.seal,
        { snapshotId: id, index },
        { digest: digestOfKey(keyAt(manifest, from + position)), expiresAt },
      ),
    }))
    return {
      Blocks,
      ExpiryTime: expiresAt,
      VolumeSize: volumeSizeGiB,
      BlockSize: directBlockSizeBytes,
      NextToken: next === undefined ? undefined : tokenOf(next),
    }
  },
})
