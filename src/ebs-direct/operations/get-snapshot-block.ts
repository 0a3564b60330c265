/** https://docs.aws.amazon.com/ebs/latest/APIReference/API_GetSnapshotBlock.html */
import type { GetSnapshotBlockRequest, GetSnapshotBlockResponse } from '@aws-sdk/client-ebs'
import type { BlockCipher } from '../../block-store/block-cipher.ts'
import { CorruptBlock, MissingBlock } from '../../block-store/errors.ts'
import { type Digest, digestOf } from '../../lib/digest.ts'
import { ApiError } from '../../lib/errors.ts'
import { readOperation } from '../../wire/operation.ts'
import { checksumOf, noSuchSnapshot, readBlockIndex } from '../direct-snapshot.ts'
import { onSnapshots, readableSnapshot } from '../find.ts'
import { cipherOfSnapshot } from '../opened.ts'
import { readBlockToken } from '../token.ts'

type Output = Omit<GetSnapshotBlockResponse, 'BlockData'> & { readonly BlockData: Uint8Array }

interface Found {
  readonly id: string
  readonly index: number
  readonly digest: Digest
  readonly cipher: BlockCipher | undefined
}

export const getSnapshotBlock = readOperation<GetSnapshotBlockRequest, Output, Found>({
  service: 'ebs',
  action: 'GetSnapshotBlock',
  demands: ({ SnapshotId }, context) => onSnapshots('GetSnapshotBlock', [SnapshotId], context),

  async run(call) {
    const { input, db, now, readers } = call
    const snapshot = await readableSnapshot(db, call, input.SnapshotId)
    const { id, volumeSizeGiB } = snapshot
    const index = readBlockIndex(input.BlockIndex, volumeSizeGiB)
    const place = { snapshotId: id, index, now }
    const digest = readBlockToken(readers.seal, input.BlockToken ?? '', place)
    return { id, index, digest, cipher: await cipherOfSnapshot(db, call, snapshot) }
  },

  async fetch({ id, index, digest, cipher }, { readers }) {
    const BlockData = await readers.blocks.readBlock(digest, cipher).catch((error: unknown) => {
      // The snapshot was deleted since, and with it what it alone had.
      if (error instanceof MissingBlock) throw noSuchSnapshot(id)
      if (!(error instanceof CorruptBlock)) throw error
      throw new ApiError('InternalError', `The block ${index} of '${id}' is damaged: ${digest}`)
    })
    return {
      DataLength: BlockData.length,
      BlockData,
      // An encrypted block has another name than its digest.
      Checksum: checksumOf(cipher ? digestOf(BlockData) : digest),
      ChecksumAlgorithm: 'SHA256',
    }
  },
})
