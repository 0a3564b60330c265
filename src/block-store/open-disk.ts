/** A disk of the store that is read here and there, and by many at once, without being made a file. */
import assert from 'node:assert/strict'
import { blockSizeBytes } from './block.ts'
import type { BlockCache } from './block-cache.ts'
import type { BlockCipher } from './block-cipher.ts'
import type { BlockStore } from './block-store.ts'
import { blockAt, type Manifest } from './manifest.ts'

const zeros = new Uint8Array(blockSizeBytes)

export class OpenDisk {
  readonly #store: Pick<BlockStore, 'readBlock'>
  readonly #manifest: Manifest
  readonly #cipher: BlockCipher | undefined
  readonly #cache: BlockCache

  constructor(
    store: Pick<BlockStore, 'readBlock'>,
    disk: {
      readonly manifest: Manifest
      readonly cipher: BlockCipher | undefined
      readonly cache: BlockCache
    },
  ) {
    this.#store = store
    this.#manifest = disk.manifest
    this.#cipher = disk.cipher
    this.#cache = disk.cache
  }

  get sizeBytes(): number {
    return this.#manifest.sizeBytes
  }

  /** The bytes, in pieces that are not to be changed; zeros behind the end. Throws `CorruptBlock` or `MissingBlock`. */
  async read(offset: number, length: number): Promise<readonly Uint8Array[]> {
    const pieces: Promise<Uint8Array>[] = []
    for (let at = offset; at < offset + length;) {
      const index = Math.floor(at / blockSizeBytes)
      const from = at - index * blockSizeBytes
      const count = Math.min(blockSizeBytes - from, offset + length - at)
      pieces.push(this.#piece(index, from, count))
      at += count
    }
    return await Promise.all(pieces)
  }

  async #piece(index: number, from: number, count: number): Promise<Uint8Array> {
    const digest = blockAt(this.#manifest, index)
    const block = digest
      ? await this.#cache.read(digest, () => this.#store.readBlock(digest, this.#cipher))
      : zeros
    assert(block.length === blockSizeBytes)
    return block.subarray(from, from + count)
  }
}
