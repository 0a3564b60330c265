/**
 * Writes one pack. Invariant: a pack has its final name only when its content
 * was synced, and read back and found whole. Until then it is a `.tmp`, and
 * whoever opens the store throws that away.
 */
import assert from 'node:assert/strict'
import type { BlockKey } from './block.ts'
import type { Pack } from './block-index.ts'
import type { Disk, NewFile } from './disk.ts'
import { asDiskFull, CorruptBlock } from './errors.ts'
import { digestOfKey } from './block.ts'
import { encodeFooter, encodeIndex, packMagic, type PackEntry } from './pack-format.ts'
import { findDamaged, loadPack, packPath } from './pack-reader.ts'
import type { WorkerPool } from './worker-pool.ts'

const targetSizeBytes = 64 * 1024 * 1024
/** A few less than fit, since they come in batches. */
const targetEntries = 4000

export class PackWriter {
  readonly #disk: Disk
  readonly #pool: WorkerPool
  readonly #number: string
  readonly #temporary: string
  readonly #file: Promise<NewFile>
  readonly #writes: Promise<void>[] = []
  readonly #entries: PackEntry[] = []
  #sizeBytes = packMagic.length

  constructor(options: { disk: Disk; pool: WorkerPool; number: string }) {
    this.#disk = options.disk
    this.#pool = options.pool
    this.#number = options.number
    this.#temporary = packPath(`${options.number}.tmp`)
    this.#file = this.#disk.create(this.#temporary)
    this.#file.catch(() => {}) // Every write waits for it, and fails with it.
    this.#write(packMagic).catch(() => {}) // `seal` waits for all writes.
  }

  get isFull(): boolean {
    return this.#sizeBytes >= targetSizeBytes || this.#entries.length >= targetEntries
  }

  /** Appends packed blocks that lie one behind the other. */
  async append(
    keys: readonly BlockKey[],
    packed: Uint8Array,
    lengths: readonly number[],
  ): Promise<void> {
    for (const [position, key] of keys.entries()) {
      const length = lengths[position]
      assert(length)
      this.#entries.push({ key, offset: this.#sizeBytes, length })
      this.#sizeBytes += length
    }
    await this.#write(packed)
  }

  /** When it resolves, the pack is there for good. When it fails, nothing is left. */
  async seal(sealedAtMs: number): Promise<Pack> {
    const name = `${this.#number}.pack`
    try {
      const index = encodeIndex(this.#entries)
      const footer = encodeFooter(index)
      this.#sizeBytes += index.length + footer.length
      this.#write(Buffer.concat([index, footer])).catch(() => {})
      await Promise.all(this.#writes)
      const file = await this.#file
      // One waits for the disk and the other for processors.
      const synced = file.sync()
      synced.catch(() => {}) // It is thrown below, where nothing else is.
      await this.#readBack()
      await synced
      await file.close()
      await this.#disk.rename(this.#temporary, packPath(name))
      await this.#disk.syncNames('packs')
      return { name, sizeBytes: this.#sizeBytes, sealedAtMs, index }
    } catch (error) {
      await this.discard()
      throw asDiskFull(error, this.#temporary)
    }
  }

  async discard(): Promise<void> {
    await Promise.allSettled(this.#writes)
    await this.#file.then((file) => file.close()).catch(() => {})
    // Where this fails too, the next opening of the store does it.
    await this.#disk.remove(this.#temporary).catch(() => {})
  }

  #write(bytes: Uint8Array): Promise<void> {
    // Continuations of one promise run in order, so the bytes end up in order.
    const write = this.#file
      .then((file) => file.append(bytes))
      .catch((error: unknown) => {
        throw asDiskFull(error, this.#temporary)
      })
    this.#writes.push(write)
    return write
  }

  async #readBack(): Promise<void> {
    const info = { name: `${this.#number}.tmp`, sizeBytes: this.#sizeBytes, modifiedAtMs: 0 }
    await loadPack(this.#disk, info)
    const parts = { disk: this.#disk, pool: this.#pool }
    const [damaged] = await findDamaged(parts, this.#temporary, this.#entries)
    if (!damaged) return
    const where = `${this.#temporary} at byte ${damaged.offset}, just written`
    throw new CorruptBlock(digestOfKey(damaged.key), where)
  }
}
