/**
 * What uploads rely on. Invariant: garbage collection takes nothing that is
 * pinned. A pin is taken before its holder looks whether the thing is there,
 * with no `await` between. What is released while garbage is collected stays
 * pinned to its end, because the collector may have asked for what is live
 * before the holder said so.
 */

/** The pins of one upload. */
export class Pins {
  #held = new Set<string>()
  readonly #registry: PinRegistry

  constructor(registry: PinRegistry) {
    this.#registry = registry
  }

  add(name: string): void {
    if (this.#held.has(name)) return
    this.#held.add(name)
    this.#registry.count(name, 1)
  }

  release(): void {
    const held = this.#held
    this.#held = new Set()
    this.#registry.release(held)
  }
}

export class PinRegistry {
  readonly #counts = new Map<string, number>()
  #kept: Set<string>[] | undefined

  has(name: string): boolean {
    return this.#counts.has(name)
  }

  count(name: string, by: number): void {
    const count = (this.#counts.get(name) ?? 0) + by
    if (count > 0) this.#counts.set(name, count)
    else this.#counts.delete(name)
  }

  release(names: Set<string>): void {
    if (this.#kept) this.#kept.push(names)
    else for (const name of names) this.count(name, -1)
  }

  /** From now on until it is disposed, nothing is released. */
  keepAll(): Disposable {
    this.#kept = []
    return {
      [Symbol.dispose]: () => {
        const kept = this.#kept ?? []
        this.#kept = undefined
        for (const names of kept) for (const name of names) this.count(name, -1)
      },
    }
  }
}
