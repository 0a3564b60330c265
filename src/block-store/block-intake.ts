/**
 * Takes in single blocks that callers bring at their own pace. Blocks that are under
 * way at once share an upload, so that they share packs and syncs too. Invariant: a
 * block is pinned until its holder lets go of it, which is when a row names it.
 */
import type { Digest } from '../lib/digest.ts'
import type { BlockStore } from './block-store.ts'
import type { Upload } from './upload.ts'

interface Shared {
  readonly upload: Upload
  blocks: number
  holders: number
}

/** So that pins are let go of while blocks keep coming. */
const blocksOfUploadMax = 256

export class BlockIntake {
  readonly #store: Pick<BlockStore, 'beginUpload'>
  #current: Shared | undefined

  constructor(store: Pick<BlockStore, 'beginUpload'>) {
    this.#store = store
  }

  /** When it resolves, the block is synced. The buffer is handed over. */
  async storeBlock(digest: Digest, bytes: Uint8Array) {
    const shared = (this.#current ??= {
      upload: this.#store.beginUpload(),
      blocks: 0,
      holders: 0,
    })
    shared.holders++
    if (++shared.blocks >= blocksOfUploadMax) this.#current = undefined
    try {
      const addedBytes = await shared.upload.storeBlock(digest, bytes)
      return { digest, addedBytes, [Symbol.dispose]: () => this.#leave(shared) }
    } catch (error) {
      this.#leave(shared)
      throw error
    }
  }

  #leave(shared: Shared): void {
    if (--shared.holders > 0) return
    if (this.#current === shared) this.#current = undefined
    shared.upload.close()
  }
}
