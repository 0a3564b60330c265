/**
 * A new file of the store, written from its beginning to its end. All but its last
 * piece goes around the page cache, where the file system lets it: nobody reads a
 * pack again soon, the copy costs as much as compressing, and what is read back
 * afterwards comes from the disk and not from memory (open(2), O_DIRECT).
 */
import assert from 'node:assert/strict'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { NewFile } from './disk.ts'
import { hasCode } from './errors.ts'
import type { Pages } from './pages.ts'

export class WrittenFile implements NewFile {
  readonly #path: string
  readonly #pages: Pages
  readonly #file: FileHandle
  /** Opened for the first whole piece; no handle where the file system does not have it. */
  #direct: Promise<FileHandle | undefined> | undefined
  #piece: Uint8Array | undefined
  #filled = 0
  /** Where the piece that is being filled will go. */
  #offset = 0
  #writing: Promise<void> = Promise.resolve()
  #isEnded = false

  static async create(path: string, pages: Pages): Promise<WrittenFile> {
    return new WrittenFile(path, await open(path, 'w+'), pages)
  }

  private constructor(path: string, file: FileHandle, pages: Pages) {
    this.#path = path
    this.#file = file
    this.#pages = pages
  }

  /** The bytes are copied at once, in the order of the calls; resolves when whole pieces are written. */
  async append(bytes: Uint8Array): Promise<void> {
    assert(!this.#isEnded, 'the file has its end')
    const from = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    for (let at = 0; at < bytes.length;) {
      this.#piece ??= this.#pages.take()
      const count = Math.min(this.#piece.length - this.#filled, bytes.length - at)
      from.copy(this.#piece, this.#filled, at, at + count)
      this.#filled += count
      at += count
      if (this.#filled === this.#piece.length)
        this.#flush((piece, offset) => this.#writeWhole(piece, offset))
    }
    await this.#writing
  }

  async sync(): Promise<void> {
    this.#end()
    await this.#writing
    await this.#file.sync()
  }

  /** What is in the file, piece by piece; each is good until the next is asked for. */
  async *readBack(): AsyncGenerator<Uint8Array> {
    this.#end()
    await this.#writing
    const direct = await this.#direct
    const pieces = [this.#pages.take(), this.#pages.take()]
    const sizeBytes = this.#offset
    const read = async (offset: number) => {
      const piece = pieces.shift() ?? this.#pages.take()
      const length = Math.min(piece.length, sizeBytes - offset)
      const isWhole = length === piece.length
      return { piece, length: await fill((isWhole && direct) || this.#file, piece, length, offset) }
    }
    try {
      // One is under way while another is looked at.
      for (let offset = 0, next = read(0); offset < sizeBytes;) {
        const { piece, length } = await next
        offset += piece.length
        if (offset < sizeBytes) next = read(offset)
        next.catch(() => {}) // Thrown when it is waited for.
        yield piece.subarray(0, length)
        pieces.push(piece)
      }
    } finally {
      for (const piece of pieces) this.#pages.give(piece)
    }
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => {})
    if (this.#piece) this.#pages.give(this.#piece)
    this.#piece = undefined
    this.#isEnded = true
    await (await this.#direct)?.close()
    await this.#file.close()
  }

  #end(): void {
    this.#isEnded = true
    const length = this.#filled
    if (this.#piece) this.#flush((piece, offset) => drain(this.#file, piece, length, offset))
  }

  /** Writes the piece behind those before it. Once one has failed, all fail. */
  #flush(write: (piece: Uint8Array, offset: number) => Promise<void>): void {
    const piece = this.#piece
    assert(piece)
    const offset = this.#offset
    this.#offset += this.#filled
    this.#piece = undefined
    this.#filled = 0
    this.#writing = this.#writing
      .then(() => write(piece, offset))
      .finally(() => this.#pages.give(piece))
    this.#writing.catch(() => {}) // Thrown by `append` and `sync`.
  }

  async #writeWhole(piece: Uint8Array, offset: number): Promise<void> {
    const direct = await (this.#direct ??= openDirect(this.#path))
    try {
      await drain(direct ?? this.#file, piece, piece.length, offset)
    } catch (error) {
      if (!direct || !hasCode(error, 'EINVAL')) throw error
      // It can be opened so and not written: pages are not aligned enough for that disk.
      this.#direct = direct.close().then(() => undefined)
      await drain(this.#file, piece, piece.length, offset)
    }
  }
}

async function openDirect(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDWR | constants.O_DIRECT)
  } catch (error) {
    if (hasCode(error, 'EINVAL', 'EOPNOTSUPP')) return undefined
    throw error
  }
}

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
    const { bytesRead } = await file.read(bytes, at, length - at, offset + at)
    if (bytesRead === 0) break
    at += bytesRead
  }
  return at
}
