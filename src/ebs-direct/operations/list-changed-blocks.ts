/** https://docs.aws.amazon.com/ebs/latest/APIReference/API_ListChangedBlocks.html */
import type {
  ChangedBlock,
  ListChangedBlocksRequest,
  ListChangedBlocksResponse,
} from '@aws-sdk/client-ebs'
import { type BlockKey, digestOfKey } from '../../block-store/block.ts'
import { readOperation } from '../../wire/operation.ts'
import { changedBlocks } from '../changed-blocks.ts'
import { blocksOf, directBlockSizeBytes, invalid } from '../direct-snapshot.ts'
import { onSnapshots, readableSnapshot } from '../find.ts'
import { areRelated } from '../lineage.ts'
import { readDisk } from '../opened.ts'
import { readBlockPage } from '../page.ts'
import { formatBlockToken } from '../token.ts'

export const listChangedBlocks = readOperation<ListChangedBlocksRequest, ListChangedBlocksResponse>(
  {
    service: 'ebs',
    action: 'ListChangedBlocks',
    demands: ({ FirstSnapshotId, SecondSnapshotId }, context) =>
      onSnapshots('ListChangedBlocks', [FirstSnapshotId, SecondSnapshotId], context),

    async run(call) {
      const { input, db, readers } = call
      if (!input.FirstSnapshotId) {
        throw invalid('INVALID_PARAMETER_VALUE', 'FirstSnapshotId must be specified.')
      }
      const first = await readableSnapshot(db, call, input.FirstSnapshotId)
      const second = await readableSnapshot(db, call, input.SecondSnapshotId)
      if (!(await areRelated(db, first, second))) {
        throw invalid(
          'UNRELATED_SNAPSHOTS',
          `The snapshots '${first.id}' and '${second.id}' are not of the same lineage.`,
        )
      }
      const page = readBlockPage(input, call, `${first.id}/${second.id}`)
      const { start, count, expiresAt } = page
      const changes = changedBlocks(
        await readDisk(call, first),
        await readDisk(call, second),
        start,
      )
      const tokenOf = (snapshotId: string, index: number, key: BlockKey) =>
        formatBlockToken(
          readers.seal,
          { snapshotId, index },
          { digest: digestOfKey(key), expiresAt },
        )
      const ChangedBlocks: ChangedBlock[] = []
      let NextToken: string | undefined
      for (const { index, first: before, second: after } of changes) {
        // What is past the end of the second disk, nobody could read of it.
        if (index >= blocksOf(second.volumeSizeGiB)) break
        if (ChangedBlocks.length === count) {
          NextToken = page.tokenOf(index)
          break
        }
        ChangedBlocks.push({
          BlockIndex: index,
          FirstBlockToken: before && tokenOf(first.id, index, before),
          SecondBlockToken: tokenOf(second.id, index, after),
        })
      }
      return {
        ChangedBlocks,
        ExpiryTime: expiresAt,
        VolumeSize: second.volumeSizeGiB,
        BlockSize: directBlockSizeBytes,
        NextToken,
      }
    },
  },
)
