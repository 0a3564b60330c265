/** Lanes: work in one lane never overlaps, and comes in the order in which it was asked for. */
export class Lanes {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Runs `work` when all that was asked for before it in the same lane is over. */
  async hold<T>(lane: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(lane) ?? Promise.resolve()
    const mine = before.then(work, work)
    this.#last.set(lane, mine)
    try {
      return await mine
    } finally {
      if (this.#last.get(lane) === mine) this.#last.delete(lane)
    }
  }
}
