/**
 * Writes one pack. Invariant: a pack has its final name only when its content
 * was synced, and read back and found to be what was appended. Until then it is a `.tmp`, and
 * whoever opens the store throws that away.
 */
import assert from 'node:assert/strict'
import type { BlockKey } from './block.ts'
import type { Pack } from './block-index.ts'
import type { Disk, NewFile } from './disk.ts'
import { asDiskFull } from './errors.ts'
import {
  encodeFooter,
  encodeIndex,
  packEntriesMax,
  packMagic,
  type PackEntry,
  targetEntries,
  targetSizeBytes,
} from './pack-format.ts'
import { packPath } from './pack-reader.ts'

export class PackWriter {
  readonly #disk: Disk
  readonly #number: string
  readonly #temporary: string
  readonly #file: Promise<NewFile>
  readonly #writes: Promise<void>[] = []
  readonly #entries: PackEntry[] = []
  #sizeBytes = packMagic.length

  constructor(options: { readonly disk: Disk; readonly number: string }) {
    this.#disk = options.disk
    this.#number = options.number
    this.#temporary = packPath(`${options.number}.tmp`)
    this.#file = this.#disk.create(this.#temporary)
    this.#file.catch(() => {}) // Every write waits for it, and fails with it.
    this.#write(packMagic).catch(() => {}) // `seal` waits for all writes.
  }

  get isFull(): boolean {
    return this.#sizeBytes >= targetSizeBytes || this.#entries.length >= targetEntries
  }

  /** Whether a pack can have so many more. */
  hasRoomFor(blocks: number): boolean {
    return this.#entries.length + blocks <= packEntriesMax
  }

  /** Appends packed blocks, each with its key. */
  async append(keys: readonly BlockKey[], blocks: readonly Uint8Array[]): Promise<void> {
    const written: Promise<void>[] = []
    for (const [position, key] of keys.entries()) {
      const block = blocks[position]
      assert(block && block.length > 0)
      this.#entries.push({ key, offset: this.#sizeBytes, length: block.length })
      this.#sizeBytes += block.length
      written.push(this.#write(block))
    }
    await Promise.all(written)
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
      await file.sync()
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
}
