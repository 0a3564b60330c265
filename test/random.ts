/**
 * Numbers that a seed decides, so that a run can be repeated: `SEED=` chooses one. And
 * how long to search at all.
 */
import { randomInt } from 'node:crypto'

export interface Random {
  readonly seed: number
  /** From 0 up to, and without, `below`. */
  below(below: number): number
  /** One of them. */
  pick<T>(choices: readonly T[]): T
}

export function chooseSeed(): number {
  return Number(process.env['SEED'] ?? randomInt(2 ** 31))
}

/** How often a property is tried. `TIMES=` searches that many times as long as usual. */
export function runsOf(usual: number): number {
  return usual * Number(process.env['TIMES'] ?? 1)
}

/** mulberry32: small, and good enough to choose by. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    seed,
    below,
    pick<T>(choices: readonly T[]): T {
      const chosen = choices[below(choices.length)]
      if (chosen === undefined) throw new Error('nothing to choose from')
      return chosen
    },
  }
}
