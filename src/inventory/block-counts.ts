/**
 * Who has a block alone. A table of blocks, by 64 bits of their digests, that holds for
 * each its one holder, or that there are several: twelve bytes a block, so that the
 * disks of ten thousand images fit into memory.
 */
import { keySizeBytes } from '../block-store/block.ts'

/** Blocks by 64 bits of their digests each: two numbers. */
export type BlockNames = Uint32Array

/** Of 32 bytes each, one behind the other. */
export function namesOf(keys: readonly Buffer[]): BlockNames {
  const count = keys.reduce((sum, each) => sum + Math.floor(each.length / keySizeBytes), 0)
  const names = new Uint32Array(count * 2)
  let to = 0
  for (const each of keys) {
    for (let at = 0; at + keySizeBytes <= each.length; at += keySizeBytes) {
      names[to++] = each.readUInt32LE(at)
      names[to++] = each.readUInt32LE(at + 4)
    }
  }
  return names
}

const free = 0
const several = -1

export class BlockCounts {
  #capacity = 1 << 12
  #count = 0
  #keys = new Uint32Array(this.#capacity * 2)
  /** A holder's number from 1; who was counted last is in `#seen`. */
  #holders = new Int32Array(this.#capacity)
  #seen = new Int32Array(this.#capacity)

  /** Notes that `holder`, a number from 1, has these blocks. */
  add(names: BlockNames, holder: number): void {
    for (let at = 0; at < names.length; at += 2) {
      if (this.#count * 2 >= this.#capacity) this.#grow()
      const high = names[at] ?? 0
      const low = names[at + 1] ?? 0
      const slot = this.#find(high, low)
      const known = this.#holders[slot] ?? free
      if (known === free) {
        this.#keys[slot * 2] = high
        this.#keys[slot * 2 + 1] = low
        this.#holders[slot] = holder
        this.#count++
      } else if (known !== holder) this.#holders[slot] = several
    }
  }

  /** How many of these blocks the holder has not been asked about since it was another's turn, and how many of those are its alone. */
  count(names: BlockNames, holder: number): { readonly blocks: number; readonly alone: number } {
    let [blocks, alone] = [0, 0]
    for (let at = 0; at < names.length; at += 2) {
      const slot = this.#find(names[at] ?? 0, names[at + 1] ?? 0)
      if (this.#seen[slot] === holder) continue
      this.#seen[slot] = holder
      blocks++
      if (this.#holders[slot] === holder) alone++
    }
    return { blocks, alone }
  }

  /** The place of a block, or the one that it would have. */
  #find(high: number, low: number): number {
    const mask = this.#capacity - 1
    let slot = (high ^ low) & mask
    while (this.#holders[slot] !== free) {
      if (this.#keys[slot * 2] === high && this.#keys[slot * 2 + 1] === low) break
      slot = (slot + 1) & mask
    }
    return slot
  }

  #grow(): void {
    const [keys, holders] = [this.#keys, this.#holders]
    this.#capacity *= 2
    this.#keys = new Uint32Array(this.#capacity * 2)
    this.#holders = new Int32Array(this.#capacity)
    this.#seen = new Int32Array(this.#capacity)
    for (const [from, holder] of holders.entries()) {
      if (holder === free) continue
      const [high = 0, low = 0] = [keys[from * 2], keys[from * 2 + 1]]
      const slot = this.#find(high, low)
      this.#keys[slot * 2] = high
      this.#keys[slot * 2 + 1] = low
      this.#holders[slot] = holder
    }
  }
}
