/**
 * Puts blocks into packs for one upload. Invariant: a block is pinned before it
 * is looked up, and looked up and claimed in one go, so that it is neither
 * collected nor written twice.
 */
import type { BlockKey } from './block.ts'
import { Claim } from './claims.ts'
import { PackWriter } from './pack-writer.ts'
import type { Parts } from './parts.ts'
import type { Pins } from './pins.ts'

/** What is to be done about some blocks, by their position among them. */
export interface Decision {
  /** To be packed and written by us. */
  readonly positions: readonly number[]
  readonly claim: Claim | undefined
  /** On their way already. */
  readonly others: ReadonlyMap<number, Claim>
}

interface OpenPack {
  readonly writer: PackWriter
  readonly claims: Claim[]
}

export class BlockWriter {
  readonly #parts: Parts
  readonly #pins: Pins
  #open: OpenPack | undefined
  #sealing = Promise.resolve()

  constructor(parts: Parts, pins: Pins) {
    this.#parts = parts
    this.#pins = pins
  }

  /** Pins the blocks and claims those that are new. An empty key is no block. */
  decide(keys: readonly BlockKey[]): Decision {
    const { claims, packs } = this.#parts
    const others = new Map<number, Claim>()
    const mine = new Map<BlockKey, number>()
    for (const [position, key] of keys.entries()) {
      if (key === '' || mine.has(key)) continue
      this.#pins.add(key)
      const other = claims.get(key)
      if (other) others.set(position, other)
      else if (!packs.index.has(key)) mine.set(key, position)
    }
    const claim = mine.size > 0 ? new Claim(claims, [...mine.keys()]) : undefined
    return { positions: [...mine.values()], claim, others }
  }

  /** Writes the packed blocks of a claim, in the order of its keys. They are safe when it is sealed. */
  async write(claim: Claim, blocks: readonly Uint8Array[]): Promise<void> {
    const { disk, packs } = this.#parts
    this.#open ??= {
      writer: new PackWriter({ disk, number: packs.nextNumber() }),
      claims: [],
    }
    const open = this.#open
    open.claims.push(claim)
    const written = open.writer.append(claim.keys, blocks)
    if (open.writer.isFull) void this.seal()
    try {
      await written
    } catch (error) {
      // That pack takes no more. What comes next has another, where there may be room again.
      if (this.#open === open) await this.seal()
      throw error
    }
  }

  /** Seals what was written so far. Never fails: the claims tell what became of it. */
  async seal(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    // One at a time is enough to keep the disk busy.
    if (open) this.#sealing = this.#sealing.then(() => this.#seal(open))
    await this.#sealing
  }

  async #seal({ writer, claims }: OpenPack): Promise<void> {
    try {
      this.#parts.packs.index.add(await writer.seal(this.#parts.now().getTime()))
      for (const claim of claims) claim.fulfil()
    } catch (error) {
      for (const claim of claims) claim.abandon(error)
    }
  }

  /** Throws away what is not sealed. */
  async discard(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    for (const claim of open?.claims ?? []) claim.abandon(new Error('The upload was closed'))
    await Promise.all([this.#sealing, open?.writer.discard()])
  }
}
