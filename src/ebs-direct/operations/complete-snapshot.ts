/** https://docs.aws.amazon.com/ebs/latest/APIReference/API_CompleteSnapshot.html */
import { createHash } from 'node:crypto'
import type { CompleteSnapshotRequest, CompleteSnapshotResponse } from '@aws-sdk/client-ebs'
import { writeOperation } from '../../wire/operation.ts'
import { bytesOfDigest, checkAlgorithm, invalid } from '../direct-snapshot.ts'
import { onSnapshots, requireOpen, startedSnapshot } from '../find.ts'
import { countDirectBlocks, listDirectBlocks, sealDirectSnapshot } from '../store.ts'
import { wrongChecksumReason, wrongCountReason } from '../unknowns.ts'

export const completeDirectSnapshot = writeOperation<
  CompleteSnapshotRequest,
  CompleteSnapshotResponse
>({
  service: 'ebs',
  action: 'CompleteSnapshot',
  permissions: ({ SnapshotId }, { region }) =>
    onSnapshots('CompleteSnapshot', [SnapshotId], region),

  async run(call) {
    const { input, tx, now } = call
    const { ChangedBlocksCount = -1, Checksum, ChecksumAggregationMethod: method } = input
    checkAlgorithm(input.ChecksumAlgorithm)
    if (method !== undefined && method !== 'LINEAR') {
      const message = 'The only supported checksum aggregation method is LINEAR.'
      throw invalid('INVALID_PARAMETER_VALUE', message)
    }
    const written = await startedSnapshot(tx, call, input.SnapshotId)
    const { snapshot, direct } = written
    // Whoever missed the answer may ask again.
    if (direct.changedBlocksCount === ChangedBlocksCount)
      return { Status: snapshotStatus(snapshot) }
    requireOpen(written, now)
    const { id } = snapshot
    const count = await countDirectBlocks(tx, id)
    if (count !== ChangedBlocksCount) {
      throw invalid(
        wrongCountReason,
        `ChangedBlocksCount is ${ChangedBlocksCount}, and ${count} blocks were written to '${id}'.`,
      )
    }
    if (Checksum !== undefined) {
      const hash = createHash('sha256')
      for await (const { digest } of listDirectBlocks(tx, id)) hash.update(bytesOfDigest(digest))
      if (hash.digest('base64') !== Checksum) {
        throw invalid(wrongChecksumReason, 'The checksum is not that of the blocks written.')
      }
    }
    await sealDirectSnapshot(tx, { id, changedBlocksCount: count })
    return { Status: 'pending' }
  },
})

const snapshotStatus = ({ state }: { readonly state: 'pending' | 'completed' | 'error' }) => state
