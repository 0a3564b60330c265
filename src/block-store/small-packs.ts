/**
 * Which packs are so small that they should be one. Blocks that come singly leave a pack
 * for every few of them. Packs of about one size are merged when there are several, into
 * one that is of the next size: so a block is moved a few times at most, however many
 * come after it, and of each size there are never more than a few packs for long.
 */
import { entryCount, type Pack } from './block-index.ts'
import { targetEntries, targetSizeBytes } from './pack-format.ts'

/** So many of a size make one of the next. */
const fanIn = 8

/** Those of packs with nothing dead in them that are to be moved all the same. */
export function packsToMerge(packs: readonly Pack[]): ReadonlySet<Pack> {
  const bySize = new Map<number, Pack[]>()
  for (const pack of packs) {
    const size = sizeClass(pack)
    if (size === 0) continue
    bySize.set(size, [...(bySize.get(size) ?? []), pack])
  }
  return new Set([...bySize.values()].filter(({ length }) => length >= fanIn).flat())
}

/** 0 for a pack that is more than an eighth of a full one, 1 for more than an eighth of that, and so on. */
export function sizeClass(pack: Pack): number {
  const part = Math.max(pack.sizeBytes / targetSizeBytes, entryCount(pack) / targetEntries)
  return Math.max(0, Math.floor(-Math.log(part) / Math.log(fanIn)))
}
