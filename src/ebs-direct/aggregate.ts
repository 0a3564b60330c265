/**
 * The checksum of all blocks that were put: the SHA-256 of their digests, in the order of
 * the disk. Plain blocks are named by their digests; encrypted ones have to be read again.
 */
import { createHash } from 'node:crypto'
import type { BlockCipher } from '../block-store/block-cipher.ts'
import type { Database } from '../db/database.ts'
import { digestOf } from '../lib/digest.ts'
import type { Id } from '../lib/ids.ts'
import type { Readers } from '../wire/readers.ts'
import { bytesOfDigest } from './direct-snapshot.ts'
import { listDirectBlocks } from './store.ts'

/** Of the blocks by their names: for plain ones that is the checksum. */
export async function checksumOfNames(db: Database, id: Id<'snapshot'>): Promise<string> {
  const hash = createHash('sha256')
  for await (const { digest } of listDirectBlocks(db, id)) hash.update(bytesOfDigest(digest))
  return hash.digest('base64')
}

/** Of encrypted blocks by their content. */
export async function checksumOfContent(
  db: Database,
  id: Id<'snapshot'>,
  {
    blocks,
    cipher,
  }: { readonly blocks: Pick<Readers['blocks'], 'readBlock'>; readonly cipher: BlockCipher },
): Promise<string> {
  const hash = createHash('sha256')
  for await (const { digest } of listDirectBlocks(db, id)) {
    hash.update(bytesOfDigest(digestOf(await blocks.readBlock(digest, cipher))))
  }
  return hash.digest('base64')
}
