/** The blocks that were read last, verified and unpacked; each is read once, however many wait for it. */
import type { Digest } from '../lib/digest.ts'

export class BlockCache {
  readonly #blocksMax: number
  /** The one used last comes last. */
  readonly #blocks = new Map<Digest, Promise<Uint8Array>>()

  constructor(blocksMax: number) {
    this.#blocksMax = blocksMax
  }

  async read(digest: Digest, load: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const block = this.#blocks.get(digest) ?? load()
    this.#blocks.delete(digest)
    this.#blocks.set(digest, block)
    const [oldest] = this.#blocks.keys()
    if (this.#blocks.size > this.#blocksMax && oldest !== undefined) this.#blocks.delete(oldest)
    try {
      return await block
    } catch (error) {
      // The next one who asks tries again.
      if (this.#blocks.get(digest) === block) this.#blocks.delete(digest)
      throw error
    }
  }

  clear(): void {
    this.#blocks.clear()
  }
}
