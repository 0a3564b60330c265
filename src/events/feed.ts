/** Wakes who waits for the next event. It carries none: they are read from the database. */

export class EventFeed {
  readonly #waiting = new Set<() => void>()

  /** There may be news. */
  wake(): void {
    for (const tell of this.#waiting) tell()
    this.#waiting.clear()
  }

  /** Returns when there may be news, and after `ms` at the latest. */
  async next(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.add(resolve)
    const timer = setTimeout(resolve, ms)
    await promise
    clearTimeout(timer)
    this.#waiting.delete(resolve)
  }
}
