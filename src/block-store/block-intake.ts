/**
 * Takes in single blocks that callers bring at their own pace. Blocks that are under
 * way at once, and under one key, share an upload, so that they share packs and syncs
 * too. Invariant: a block is pinned until its holder lets go of it, which is when a row
 * names it.
 */
import type { Digest } from '../lib/digest.ts'
import type { BlockCipher } from './block-cipher.ts'
import type { BlockStore } from './block-store.ts'
import type { Upload } from './upload.ts'

interface Shared {
  readonly keyId: string | undefined
  readonly upload: Upload
  blocks: number
  holders: number
}

/** So that pins are let go of while blocks keep coming. */
const blocksOfUploadMax = 256

export class BlockIntake {
  readonly #store: Pick<BlockStore, 'beginUpload'>
  readonly #openCipher: (keyId: string) => Promise<BlockCipher | undefined>
  readonly #current = new Map<string | undefined, Shared>()

  /** `openCipher` is asked for each block, so that a key counts as long as it is usable. */
  constructor(
    store: Pick<BlockStore, 'beginUpload'>,
    openCipher: (keyId: string) => Promise<BlockCipher | undefined> = async () => undefined,
  ) {
    this.#store = store
    this.#openCipher = openCipher
  }

  /**
   * When it resolves, the block is synced. The buffer is handed over. With a key the block is
   * encrypted, and has another name than its digest. Throws `WrongDigest`.
   */
  async storeBlock(digest: Digest, bytes: Uint8Array, keyId?: string) {
    const cipher = keyId === undefined ? undefined : await this.#openCipher(keyId)
    const shared = this.#join(keyId, cipher)
    try {
      const stored = await shared.upload.storeBlock(bytes, digest)
      return { ...stored, [Symbol.dispose]: () => this.#leave(shared) }
    } catch (error) {
      this.#leave(shared)
      throw error
    }
  }

  #join(keyId: string | undefined, cipher: BlockCipher | undefined): Shared {
    const shared = this.#current.get(keyId) ?? {
      keyId,
      upload: this.#store.beginUpload(cipher),
      blocks: 0,
      holders: 0,
    }
    this.#current.set(keyId, shared)
    shared.holders++
    if (++shared.blocks >= blocksOfUploadMax) this.#current.delete(keyId)
    return shared
  }

  #leave(shared: Shared): void {
    if (--shared.holders > 0) return
    if (this.#current.get(shared.keyId) === shared) this.#current.delete(shared.keyId)
    shared.upload.close()
  }
}
