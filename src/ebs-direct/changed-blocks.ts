/** Which blocks of two disks differ, in their order. A hole is the same as zeros. */
import { type BlockKey, zeroKey } from '../block-store/block.ts'
import { keyAt, type Manifest } from '../block-store/manifest.ts'

export interface Change {
  readonly index: number
  /** Nothing where the first disk has a hole. */
  readonly first: BlockKey | undefined
  readonly second: BlockKey
}

export function* changedBlocks(
  first: Manifest,
  second: Manifest,
  start: number,
): Generator<Change> {
  let one = positionOf(first, start)
  let other = positionOf(second, start)
  for (;;) {
    const inFirst = first.indexes[one] ?? Infinity
    const inSecond = second.indexes[other] ?? Infinity
    const index = Math.min(inFirst, inSecond)
    if (index === Infinity) return
    const before = inFirst === index ? keyAt(first, one++) : undefined
    const after = inSecond === index ? keyAt(second, other++) : zeroKey
    if (before !== after) yield { index, first: before, second: after }
  }
}

/** The position of the first block that is not before `index`. */
export function positionOf({ indexes }: Manifest, index: number): number {
  let low = 0
  let high = indexes.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((indexes[middle] ?? 0) < index) low = middle + 1
    else high = middle
  }
  return low
}
