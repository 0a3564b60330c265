/** The sealed packs of a store, and where each block lies in them. */
import { messageOf } from '../lib/message-of.ts'
import { type BlockKey, blockSizeBytes, digestOfKey, zeroKey } from './block.ts'
import type { BlockCipher } from './block-cipher.ts'
import { BlockIndex, type Pack, type Place } from './block-index.ts'
import type { Disk, FileInfo } from './disk.ts'
import { CorruptBlock, MissingBlock } from './errors.ts'
import { inLanes } from './lanes.ts'
import { loadPack, packPath } from './pack-reader.ts'
import { tasks } from './tasks.ts'
import type { WorkerPool } from './worker-pool.ts'

export interface BrokenPack {
  readonly name: string
  readonly sizeBytes: number
  readonly reason: string
}

const loadsAtOnce = 16

export class Packs {
  readonly index = new BlockIndex()
  /** Packs whose index cannot be read. They are left alone. */
  readonly broken: BrokenPack[] = []
  readonly #disk: Disk
  #lastNumber = 0
  /** How many blocks are being read. */
  #reads = 0

  private constructor(disk: Disk) {
    this.#disk = disk
  }

  static async open(disk: Disk, files: readonly FileInfo[]): Promise<Packs> {
    const packs = new Packs(disk)
    const loaded: Pack[] = []
    await inLanes(loadsAtOnce, files, async (file) => {
      packs.#lastNumber = Math.max(packs.#lastNumber, Number.parseInt(file.name, 10) || 0)
      if (!file.name.endsWith('.pack')) return
      try {
        loaded.push(await loadPack(disk, file))
      } catch (error) {
        const reason = messageOf(error)
        packs.broken.push({ name: file.name, sizeBytes: file.sizeBytes, reason })
      }
    })
    // Where a block is in two packs, garbage collection was cut off: the newer one stays.
    for (const pack of loaded.toSorted((a, b) => (a.name < b.name ? 1 : -1))) packs.index.add(pack)
    return packs
  }

  /** Numbers are not used twice while the program runs, so that a name means one content. */
  nextNumber(): string {
    return String(++this.#lastNumber).padStart(10, '0')
  }

  async readBlock(key: BlockKey, pool: WorkerPool, cipher?: BlockCipher): Promise<Uint8Array> {
    if (key === zeroKey) return new Uint8Array(blockSizeBytes)
    this.#reads++
    try {
      return await this.follow(key, async ({ pack, offset, length }) => {
        // For one block alone, to start a thread would take longer.
        const isHere = this.#reads === 1 && !pool.isStarted
        const path = this.#disk.pathOf(packPath(pack.name))
        if (path !== undefined && !isHere) {
          const place = { path, offset, length }
          return (await pool.run('unpackFrom', { place, key, cipher })).plain
        }
        const packed = await this.#disk.read(packPath(pack.name), { offset, length })
        if (!packed) return undefined
        const input = { packed, key, cipher }
        const { plain } = isHere ? tasks.unpack(input) : await pool.run('unpack', input)
        return plain
      })
    } finally {
      this.#reads--
    }
  }

  /** Uses a block where it lies, and again where garbage collection has moved it meanwhile. */
  async follow<T>(key: BlockKey, use: (place: Place) => Promise<T | undefined>): Promise<T> {
    const digest = digestOfKey(key)
    let place = this.index.find(key)
    while (place) {
      const used = await use(place)
      if (used !== undefined) return used
      const again = this.index.find(key)
      if (again?.pack === place.pack) {
        throw new CorruptBlock(digest, `${packPath(place.pack.name)} at byte ${place.offset}`)
      }
      place = again
    }
    throw new MissingBlock(digest)
  }
}
