/** Reads here and there from a disk in the block store, without making it a file. */
import type { Digest } from '../lib/digest.ts'
import { blockSizeBytes } from './block.ts'
import type { BlockCipher } from './block-cipher.ts'
import type { BlockStore } from './block-store.ts'
import { blockAt, type Manifest } from './manifest.ts'

export class StoredDisk {
  readonly #store: Pick<BlockStore, 'readManifest' | 'readBlock'>
  readonly #manifest: Digest
  readonly #openCipher: () => Promise<BlockCipher | undefined>
  #known: Manifest | undefined

  constructor(
    store: Pick<BlockStore, 'readManifest' | 'readBlock'>,
    manifest: Digest,
    openCipher: () => Promise<BlockCipher | undefined> = async () => undefined,
  ) {
    this.#openCipher = openCipher
    this.#store = store
    this.#manifest = manifest
  }

  /** Fills a part of `buffer`, which is zeros where the disk is, and past its end. */
  async read(buffer: Buffer, offset: number, length: number, position: number): Promise<void> {
    const cipher = await this.#openCipher()
    // Of a large disk it is long, so that it is read once.
    this.#known ??= await this.#store.readManifest(this.#manifest, cipher)
    const manifest = this.#known
    buffer.fill(0, offset, offset + length)
    const end = Math.min(position + length, manifest.sizeBytes)
    for (let at = position; at < end;) {
      const index = Math.floor(at / blockSizeBytes)
      const from = at - index * blockSizeBytes
      const count = Math.min(blockSizeBytes - from, end - at)
      const digest = blockAt(manifest, index)
      const block = digest && (await this.#store.readBlock(digest, cipher))
      if (block) buffer.set(block.subarray(from, from + count), offset + at - position)
      at += count
    }
  }
}
