/**
 * A disk that nobody vouches for, read within bounds: so many bytes, so many steps. What it
 * holds may lead in circles or to nowhere; then the bounds end it, with `DiskRefused`.
 */
import type { ReadableDisk } from '../imports/partition-table.ts'

/** Why nothing can be said of what is on a disk, in words for its owner. */
export class DiskRefused extends Error {
  override readonly name = 'DiskRefused'
}

export interface DiskBounds {
  readonly readBytesMax: number
  readonly stepsMax: number
}

const usualBounds: DiskBounds = { readBytesMax: 512 * 2 ** 20, stepsMax: 500_000 }
/** As the block store has its blocks, of which each is read whole anyway. */
const pageBytes = 512 * 1024
const pagesKeptMax = 16
/** So often others have a turn: a disk in the cache would keep them waiting else. */
const stepsAtOnce = 500

export class BoundedDisk {
  readonly #disk: ReadableDisk
  readonly #pages = new Map<number, Buffer>()
  #bytesLeft: number
  #stepsLeft: number

  constructor(disk: ReadableDisk, bounds: DiskBounds = usualBounds) {
    this.#disk = disk
    this.#bytesLeft = bounds.readBytesMax
    this.#stepsLeft = bounds.stepsMax
  }

  /** Zeros past the end. */
  async read(position: number, length: number): Promise<Buffer> {
    if (!Number.isSafeInteger(position + length) || position < 0) {
      throw new DiskRefused('its file system is damaged: it names a place that is on no disk')
    }
    await this.#step()
    const found = Buffer.alloc(length)
    for (let at = position; at < position + length;) {
      const number = Math.floor(at / pageBytes)
      const page = await this.#page(number)
      at += page.copy(found, at - position, at - number * pageBytes)
    }
    return found
  }

  async #step(): Promise<void> {
    if (--this.#stepsLeft < 0) throw new DiskRefused('its file system leads to no end')
    if (this.#stepsLeft % stepsAtOnce === 0) await new Promise(setImmediate)
  }

  async #page(number: number): Promise<Buffer> {
    const known = this.#pages.get(number)
    if (known) return known
    this.#bytesLeft -= pageBytes
    if (this.#bytesLeft < 0) throw new DiskRefused('too much of it would have to be read')
    const page = Buffer.alloc(pageBytes)
    await this.#disk.read(page, 0, pageBytes, number * pageBytes)
    const [oldest] = this.#pages.keys()
    if (this.#pages.size >= pagesKeptMax && oldest !== undefined) this.#pages.delete(oldest)
    this.#pages.set(number, page)
    return page
  }
}
