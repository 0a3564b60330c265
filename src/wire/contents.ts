/**
 * What a call may put into the block store before the transaction that names it.
 * Content alone is harmless: what no row comes to name is collected.
 */
import type { Digest } from '../lib/digest.ts'

/** A block that is there for good as long as this is held, or something names it. */
export interface StoredBlock extends Disposable {
  readonly digest: Digest
  /** What it takes, packed; nothing where the store had it. */
  readonly addedBytes: number
}

export interface Contents {
  /**
   * Stores a whole block under the digest that it has, or encrypted under a key: then it has
   * another. The buffer is handed over. Throws `WrongDigest` where the block has not that digest.
   */
  storeBlock(digest: Digest, bytes: Uint8Array, keyId?: string): Promise<StoredBlock>
}
