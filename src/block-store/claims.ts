/**
 * Blocks on their way into the store, so that the same block is never written
 * twice at once: who comes second waits until the first one's pack is sealed.
 */
import type { BlockKey } from './block.ts'

export type Claims = Map<BlockKey, Claim>

export class Claim {
  readonly keys: readonly BlockKey[]
  readonly #claims: Claims
  readonly #outcome = Promise.withResolvers<void>()

  constructor(claims: Claims, keys: readonly BlockKey[]) {
    this.keys = keys
    this.#claims = claims
    for (const key of keys) claims.set(key, this)
    this.#outcome.promise.catch(() => {}) // Whoever cares waits for it.
  }

  /** Resolves when the blocks are there for good. */
  get sealed(): Promise<void> {
    return this.#outcome.promise
  }

  fulfil(): void {
    this.#end()
    this.#outcome.resolve()
  }

  abandon(reason: unknown): void {
    this.#end()
    this.#outcome.reject(reason)
  }

  #end(): void {
    for (const key of this.keys) if (this.#claims.get(key) === this) this.#claims.delete(key)
  }
}
