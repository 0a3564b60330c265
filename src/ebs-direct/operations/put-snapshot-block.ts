/** https://docs.aws.amazon.com/ebs/latest/APIReference/API_PutSnapshotBlock.html */
import type { PutSnapshotBlockRequest, PutSnapshotBlockResponse } from '@aws-sdk/client-ebs'
import { WrongDigest } from '../../block-store/errors.ts'
import type { Id } from '../../lib/ids.ts'
import { setSnapshotProgress } from '../../snapshots/store.ts'
import type { StoredBlock } from '../../wire/contents.ts'
import { writeOperation } from '../../wire/operation.ts'
import { readBlockIndex } from '../direct-snapshot.ts'
import { notOpen, onSnapshots, openSnapshot, startedSnapshot } from '../find.ts'
import { refusingKeys } from '../opened.ts'
import { readBlock, wrongChecksum } from '../request.ts'
import { putDirectBlock } from '../store.ts'

type Input = Omit<PutSnapshotBlockRequest, 'BlockData'> & { readonly BlockData: Uint8Array }

interface Prepared extends StoredBlock {
  readonly id: Id<'snapshot'>
  readonly index: number
}

export const putSnapshotBlock = writeOperation<Input, PutSnapshotBlockResponse, Prepared>({
  service: 'ebs',
  action: 'PutSnapshotBlock',
  demands: ({ SnapshotId }, context) => onSnapshots('PutSnapshotBlock', [SnapshotId], context),

  owesNothing: true,
  sharesTransaction: true,
  // Content first: the row below names what is synced already.
  async prepare(input, context) {
    const { snapshot } = await openSnapshot(context.db, context, input.SnapshotId)
    const { id, volumeSizeGiB, kmsKeyArn } = snapshot
    const index = readBlockIndex(input.BlockIndex, volumeSizeGiB)
    const digest = readBlock(input)
    const { contents } = context
    try {
      const stored = await refusingKeys(() =>
        contents.storeBlock(digest, input.BlockData, kmsKeyArn),
      )
      return { ...stored, id, index }
    } catch (error) {
      throw error instanceof WrongDigest ? wrongChecksum() : error
    }
  },

  async run(call, { id, index, digest, addedBytes }) {
    const { input, tx, now } = call
    const isOpen = await putDirectBlock(tx, { id, index, digest, addedBytes, now })
    if (!isOpen) throw notOpen((await startedSnapshot(tx, call, id)).snapshot)
    if (input.Progress !== undefined) {
      await setSnapshotProgress(tx, { id, percent: input.Progress })
    }
    return { Checksum: input.Checksum, ChecksumAlgorithm: 'SHA256' }
  },
})
