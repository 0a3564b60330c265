/**
 * A new file of the store, written from its beginning to its end. It goes around the page
 * cache, where the file system lets it: nobody reads a pack again soon, the copy costs as
 * much as compressing, and what is read back comes from the disk and not from memory
 * (open(2), O_DIRECT). Each piece is read back while the next is written.
 */
import assert from 'node:assert/strict'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { NewFile } from './disk.ts'
import { hasCode } from './errors.ts'
import { type Pages, sectorBytes } from './pages.ts'

export class WrittenFile implements NewFile {
  readonly #path: string
  readonly #pages: Pages
  #file: FileHandle
  #isDirect: boolean
  #piece: Uint8Array | undefined
  #filled = 0
  /** Where the piece that is being filled will go. */
  #offset = 0
  #writing: Promise<void> = Promise.resolve()
  #checking: Promise<void> = Promise.resolve()
  #isEnded = false

  static async create(path: string, pages: Pages, mode?: number): Promise<WrittenFile> {
    const { O_CREAT, O_TRUNC, O_RDWR, O_DIRECT } = constants
    try {
      const file = await open(path, O_CREAT | O_TRUNC | O_RDWR | O_DIRECT, mode)
      return new WrittenFile(path, file, pages, true)
    } catch (error) {
      if (!hasCode(error, 'EINVAL', 'EOPNOTSUPP')) throw error
      return new WrittenFile(path, await open(path, 'w+', mode), pages, false)
    }
  }

  private constructor(path: string, file: FileHandle, pages: Pages, isDirect: boolean) {
    this.#path = path
    this.#file = file
    this.#pages = pages
    this.#isDirect = isDirect
  }

  /**
   * The bytes are copied at once, in the order of the calls. Resolves when whole pieces are written,
   * and those before them read back: so few are in memory.
   */
  async append(bytes: Uint8Array): Promise<void> {
    assert(!this.#isEnded, 'the file has its end')
    const checked = this.#checking
    const from = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    for (let at = 0; at < bytes.length;) {
      this.#piece ??= this.#pages.take()
      const count = Math.min(this.#piece.length - this.#filled, bytes.length - at)
      from.copy(this.#piece, this.#filled, at, at + count)
      this.#filled += count
      at += count
      if (this.#filled === this.#piece.length) this.#flush()
    }
    await Promise.all([this.#writing, checked])
  }

  /** Throws where the file is not what was appended. */
  async sync(): Promise<void> {
    this.#isEnded = true
    if (this.#piece) this.#flush()
    await this.#writing
    // One waits for the disk and the other for a processor.
    const synced = this.#file.sync()
    synced.catch(() => {}) // Thrown below, where nothing else is.
    await this.#checking
    await synced
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#writing, this.#checking])
    if (this.#piece) this.#pages.give(this.#piece)
    this.#piece = undefined
    this.#isEnded = true
    await this.#file.close()
  }

  /** Writes the piece behind those before it. Once one has failed, all fail. */
  #flush(): void {
    const piece = this.#piece
    assert(piece)
    const [offset, length] = [this.#offset, this.#filled]
    this.#offset += length
    this.#piece = undefined
    this.#filled = 0
    this.#writing = this.#writing.then(() => this.#write(piece, length, offset))
    const before = [this.#writing, this.#checking]
    // Where one has failed, too, the piece is given back when nothing reads it any more.
    this.#checking = Promise.allSettled(before)
      .then(() => Promise.all(before))
      .then(() => this.#check(piece, length, offset))
      .finally(() => this.#pages.give(piece))
    // Thrown by `append` and `sync`.
    this.#writing.catch(() => {})
    this.#checking.catch(() => {})
  }

  async #check(piece: Uint8Array, length: number, offset: number): Promise<void> {
    const back = this.#pages.take()
    try {
      const found = await fill(this.#file, back, length, offset)
      if (Buffer.compare(back.subarray(0, found), piece.subarray(0, length)) === 0) return
      throw notAsWritten(this.#path)
    } finally {
      this.#pages.give(back)
    }
  }

  async #write(piece: Uint8Array, length: number, offset: number): Promise<void> {
    if (!this.#isDirect) return await drain(this.#file, piece, length, offset)
    try {
      // What is too much at the end is cut off again; nobody reads the file before that.
      const padded = wholeSectors(length)
      await drain(this.#file, piece, padded, offset)
      if (padded > length) await this.#file.truncate(offset + length)
    } catch (error) {
      if (!hasCode(error, 'EINVAL')) throw error
      // It can be opened so and not written: pages are not aligned enough for that disk.
      const direct = this.#file
      this.#file = await open(this.#path, 'r+')
      this.#isDirect = false
      await direct.close()
      await drain(this.#file, piece, length, offset)
    }
  }
}

/** It is a broken disk, as where the system says so. */
function notAsWritten(path: string): Error {
  const error = new Error(`A file does not read back as it was written: ${path}`)
  return Object.assign(error, { code: 'EIO', syscall: 'read', path })
}

const wholeSectors = (length: number): number => Math.ceil(length / sectorBytes) * sectorBytes

async function drain(
  file: FileHandle,
  bytes: Uint8Array,
  length: number,
  offset: number,
): Promise<void> {
  for (let at = 0; at < length;) {
    at += (await file.write(bytes, at, length - at, offset + at)).bytesWritten
  }
}

/** Reads so many bytes, or fewer where the file ends; tells how many. */
async function fill(
  file: FileHandle,
  bytes: Uint8Array,
  length: number,
  offset: number,
): Promise<number> {
  let at = 0
  while (at < length) {
    const wanted = Math.min(wholeSectors(length - at), bytes.length - at)
    const { bytesRead } = await file.read(bytes, at, wanted, offset + at)
    if (bytesRead === 0) break
    at += bytesRead
  }
  return Math.min(at, length)
}
