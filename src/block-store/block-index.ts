/**
 * Where each block lies: a hash table over the indexes of all packs, as they are
 * on disk, with 40 bytes a block for these and 8 to 16 for the table.
 * Invariant: a digest is found at one place, which is in a pack that is listed.
 */
import assert from 'node:assert/strict'
import { type BlockKey, keySizeBytes } from './block.ts'
import { entrySizeBytes, packEntriesMax } from './pack-format.ts'

/** A sealed pack. */
export interface Pack {
  readonly name: string
  readonly sizeBytes: number
  readonly sealedAtMs: number
  /** Its index, byte by byte as in the file. */
  readonly index: Buffer
}

export interface Place {
  readonly pack: Pack
  readonly offset: number
  readonly length: number
}

export const entryCount = (pack: Pack): number => pack.index.length / entrySizeBytes

export function entryAt({ index }: Pack, position: number) {
  const at = position * entrySizeBytes
  return {
    key: index.toString('latin1', at, at + keySizeBytes),
    offset: index.readUInt32LE(at + keySizeBytes),
    length: index.readUInt32LE(at + keySizeBytes + 4),
  }
}

const packsMax = 2 ** 32 / packEntriesMax - 1

export class BlockIndex {
  /** Number of the entry plus one, or 0 where free. At most half of it is in use. */
  #table = new Uint32Array(4096)
  #size = 0
  readonly #packs: (Pack | undefined)[] = []
  readonly #slots = new Map<Pack, number>()
  readonly #freeSlots: number[] = []

  /** How many digests there are. */
  get size(): number {
    return this.#size
  }

  packs(): readonly Pack[] {
    return [...this.#slots.keys()]
  }

  /** Takes in a pack. What is already known stays where it is, unless it is `moved`. */
  add(pack: Pack, moved = false): void {
    const slot = this.#freeSlots.pop() ?? this.#packs.length
    assert(slot < packsMax, 'there are too many packs')
    this.#packs[slot] = pack
    this.#slots.set(pack, slot)
    for (let position = 0; position < entryCount(pack); position++) {
      const entry = slot * packEntriesMax + position + 1
      const at = this.#seek(entryAt(pack, position).key)
      if (this.#table[at] === 0) {
        this.#table[at] = entry
        this.#size++
        if (this.#size * 2 > this.#table.length) this.#grow()
      } else if (moved) this.#table[at] = entry
    }
  }

  /** Forgets a pack and the blocks that lie in it. */
  drop(pack: Pack): void {
    const slot = this.#slots.get(pack)
    if (slot === undefined) return
    for (let position = 0; position < entryCount(pack); position++) {
      const entry = slot * packEntriesMax + position + 1
      const at = this.#seek(entryAt(pack, position).key)
      if (this.#table[at] === entry) this.#free(at)
    }
    this.#slots.delete(pack)
    this.#packs[slot] = undefined
    this.#freeSlots.push(slot)
  }

  has(key: BlockKey): boolean {
    return this.#table[this.#seek(key)] !== 0
  }

  find(key: BlockKey): (Place & { readonly position: number }) | undefined {
    const entry = (this.#table[this.#seek(key)] ?? 0) - 1
    if (entry < 0) return undefined
    const pack = this.#packs[Math.floor(entry / packEntriesMax)]
    assert(pack)
    const position = entry % packEntriesMax
    return { pack, position, ...entryAt(pack, position) }
  }

  /** The same for a key among others in a buffer, with nothing made of it on the way. */
  locate(
    keys: Buffer,
    from: number,
  ): { readonly pack: Pack; readonly position: number } | undefined {
    const mask = this.#table.length - 1
    let at = keys.readUInt32LE(from) & mask
    for (;;) {
      const entry = (this.#table[at] ?? 0) - 1
      if (entry < 0) return undefined
      const pack = this.#packs[Math.floor(entry / packEntriesMax)]
      assert(pack)
      const position = entry % packEntriesMax
      if (isSame(pack.index, position * entrySizeBytes, keys, from)) return { pack, position }
      at = (at + 1) & mask
    }
  }

  /** The place in the table that has the key, or the free one where it would go. */
  #seek(key: BlockKey): number {
    const mask = this.#table.length - 1
    let at = startOf(key) & mask
    for (;;) {
      const entry = this.#table[at] ?? 0
      if (entry === 0 || this.#isOf(entry, key)) return at
      at = (at + 1) & mask
    }
  }

  #isOf(entry: number, key: BlockKey): boolean {
    const { index, at } = this.#bytesOf(entry)
    for (let byte = 0; byte < keySizeBytes; byte++) {
      if (index[at + byte] !== key.charCodeAt(byte)) return false
    }
    return true
  }

  /** Where the search for an entry begins. */
  #homeOf(entry: number): number {
    const { index, at } = this.#bytesOf(entry)
    return index.readUInt32LE(at) & (this.#table.length - 1)
  }

  #bytesOf(entry: number) {
    const pack = this.#packs[Math.floor((entry - 1) / packEntriesMax)]
    assert(pack)
    return { index: pack.index, at: ((entry - 1) % packEntriesMax) * entrySizeBytes }
  }

  /** Frees a place, and moves up those behind it that would no longer be found. */
  #free(freed: number): void {
    const mask = this.#table.length - 1
    let hole = freed
    for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
      const entry = this.#table[at] ?? 0
      if (entry === 0) break
      const home = this.#homeOf(entry)
      if (((at - home) & mask) < ((at - hole) & mask)) continue
      this.#table[hole] = entry
      hole = at
    }
    this.#table[hole] = 0
    this.#size--
  }

  #grow(): void {
    const entries = this.#table.filter((entry) => entry !== 0)
    this.#table = new Uint32Array(this.#table.length * 2)
    const mask = this.#table.length - 1
    for (const entry of entries) {
      let at = this.#homeOf(entry)
      while (this.#table[at] !== 0) at = (at + 1) & mask
      this.#table[at] = entry
    }
  }
}

function isSame(index: Buffer, at: number, keys: Buffer, from: number): boolean {
  for (let byte = 0; byte < keySizeBytes; byte++) {
    if (index[at + byte] !== keys[from + byte]) return false
  }
  return true
}

/** A digest is its own hash. */
function startOf(key: BlockKey): number {
  return (
    key.charCodeAt(0) |
    (key.charCodeAt(1) << 8) |
    (key.charCodeAt(2) << 16) |
    (key.charCodeAt(3) << 24)
  )
}
