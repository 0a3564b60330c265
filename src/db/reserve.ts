/**
 * Room that is kept on the disk of the data folder: where none is left, not even a deletion can be
 * recorded, and nothing would ever make room again. It is a file, which goes when it is needed
 * and is made anew when there is plenty.
 */
import { randomFillSync } from 'node:crypto'
import { open, rename, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'

/** Hundreds of deletions, with all that is recorded of them. */
const sizeBytesMax = 16 * 1024 * 1024
/** Of the whole disk at most. */
const share = 1 / 64
/** So many times as much is free on the disk before it is made. */
const plenty = 4
const chunkBytes = 256 * 1024

export class Reserve {
  readonly #folder: string
  readonly #path: string

  constructor(folder: string) {
    this.#folder = folder
    this.#path = join(folder, 'reserve')
  }

  /** Makes it where it lacks and there is plenty of room. Throws what the disk says otherwise. */
  async keep(): Promise<void> {
    const { bavail, blocks, bsize } = await statfs(this.#folder)
    const wanted = Math.min(sizeBytesMax, Math.floor(blocks * bsize * share))
    const has = await stat(this.#path).catch(() => undefined)
    if (has || bavail * bsize < plenty * wanted) return
    const temporary = `${this.#path}.tmp`
    try {
      await using file = await open(temporary, 'w', 0o600)
      // A file system that packs what it is given finds nothing to pack.
      const chunk = randomFillSync(new Uint8Array(chunkBytes))
      for (let at = 0; at < wanted; at += chunkBytes) {
        await file.writeFile(chunk.subarray(0, wanted - at))
      }
      await rename(temporary, this.#path)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }

  /** Gives its room away. */
  async release(): Promise<void> {
    await rm(this.#path, { force: true })
  }
}
