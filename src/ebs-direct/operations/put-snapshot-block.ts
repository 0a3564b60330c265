/** https://docs.aws.amazon.com/ebs/latest/APIReference/API_PutSnapshotBlock.html */
import type { PutSnapshotBlockRequest, PutSnapshotBlockResponse } from '@aws-sdk/client-ebs'
import type { StoredBlock } from '../../wire/contents.ts'
import { writeOperation } from '../../wire/operation.ts'
import { readBlockIndex } from '../direct-snapshot.ts'
import { notOpen, onSnapshots, openSnapshot } from '../find.ts'
import { refusingKeys } from '../opened.ts'
import { readBlock } from '../request.ts'
import { putDirectBlock } from '../store.ts'

type Input = Omit<PutSnapshotBlockRequest, 'BlockData'> & { readonly BlockData: Uint8Array }

export const putSnapshotBlock = writeOperation<Input, PutSnapshotBlockResponse, StoredBlock>({
  service: 'ebs',
  action: 'PutSnapshotBlock',
  demands: ({ SnapshotId }, { region }) => onSnapshots('PutSnapshotBlock', [SnapshotId], region),

  owesNothing: true,
  sharesTransaction: true,
  // Content first: the row below names what is synced already.
  async prepare(input, context) {
    const { snapshot } = await openSnapshot(context.db, context, input.SnapshotId)
    readBlockIndex(input.BlockIndex, snapshot.volumeSizeGiB)
    const { contents } = context
    return await refusingKeys(() =>
      contents.storeBlock(readBlock(input), input.BlockData, snapshot.kmsKeyArn),
    )
  },

  async run(call, { digest, addedBytes }) {
    const { input, tx, now } = call
    const { snapshot } = await openSnapshot(tx, call, input.SnapshotId)
    const { id, volumeSizeGiB } = snapshot
    const index = readBlockIndex(input.BlockIndex, volumeSizeGiB)
    const isOpen = await putDirectBlock(tx, { id, index, digest, addedBytes, now })
    if (!isOpen) throw notOpen(snapshot)
    return { Checksum: input.Checksum, ChecksumAlgorithm: 'SHA256' }
  },
})
