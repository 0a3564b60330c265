/** https://docs.aws.amazon.com/ebs/latest/APIReference/API_CompleteSnapshot.html */
import type { CompleteSnapshotRequest, CompleteSnapshotResponse } from '@aws-sdk/client-ebs'
import { writeOperation } from '../../wire/operation.ts'
import { checksumOfContent, checksumOfNames } from '../aggregate.ts'
import { checkAlgorithm, invalid } from '../direct-snapshot.ts'
import { onSnapshots, requireOpen, startedSnapshot } from '../find.ts'
import { cipherOfSnapshot } from '../opened.ts'
import { countDirectBlocks, sealDirectSnapshot } from '../store.ts'
import { wrongChecksumReason, wrongCountReason } from '../unknowns.ts'

export const completeDirectSnapshot = writeOperation<
  CompleteSnapshotRequest,
  CompleteSnapshotResponse,
  Content | undefined
>({
  service: 'ebs',
  action: 'CompleteSnapshot',
  demands: ({ SnapshotId }, context) => onSnapshots('CompleteSnapshot', [SnapshotId], context),

  // Encrypted blocks are looked at before, since that takes its time.
  async prepare(input, context) {
    const { db, readers } = context
    if (input.Checksum === undefined) return undefined
    const { snapshot, direct } = await startedSnapshot(db, context, input.SnapshotId)
    if (snapshot.kmsKeyArn === undefined || direct.state !== 'open') return undefined
    const cipher = await cipherOfSnapshot(db, context, snapshot)
    if (!cipher) return undefined
    const { blocks } = readers
    const names = await checksumOfNames(db, snapshot.id)
    return { names, checksum: await checksumOfContent(db, snapshot.id, { blocks, cipher }) }
  },

  async run(call, content) {
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
      const names = await checksumOfNames(tx, id)
      // A block that came meanwhile is not what the caller has summed up.
      const found = content?.names === names ? content.checksum : names
      if (found !== Checksum) {
        throw invalid(wrongChecksumReason, 'The checksum is not that of the blocks written.')
      }
    }
    await sealDirectSnapshot(tx, { id, changedBlocksCount: count })
    return { Status: 'pending' }
  },
})

interface Content {
  /** Of the blocks that were looked at. */
  readonly names: string
  readonly checksum: string
}

const snapshotStatus = ({ state }: { readonly state: 'pending' | 'completed' | 'error' }) => state
