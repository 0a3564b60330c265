/** Reads blocks as they lie in packs, verified: neighbours in a pack at once. */
import type { BlockKey } from './block.ts'
import { packedIn, packPath, type Span, spansOf } from './pack-reader.ts'
import type { Parts } from './parts.ts'

/** In the order of their names. Throws `CorruptBlock` or `MissingBlock`. */
export async function readPackedBlocks(
  parts: Parts,
  keys: readonly BlockKey[],
): Promise<readonly Uint8Array[]> {
  const { index } = parts.packs
  const places = keys.flatMap((key) => {
    const place = index.find(key)
    return place ? [{ ...place, key }] : []
  })
  const byPack = Map.groupBy(places, ({ pack }) => pack.name)
  const found = new Map<BlockKey, Uint8Array>()
  await Promise.all(
    [...byPack].flatMap(([name, entries]) =>
      [...spansOf(entries)].map((span) => readSpan(parts, name, span, found)),
    ),
  )
  return await Promise.all(keys.map(async (key) => found.get(key) ?? (await readAlone(parts, key))))
}

/** Leaves out what is damaged there, or there no more. */
async function readSpan(
  { disk, pool }: Parts,
  name: string,
  span: Span,
  found: Map<BlockKey, Uint8Array>,
): Promise<void> {
  const read = await disk.read(packPath(name), span)
  if (read?.length !== span.length) return
  const blocks = packedIn(span)
  const { packed, damaged } = await pool.run('check', { packed: read, blocks })
  for (const [position, { key, at, length }] of blocks.entries()) {
    if (!damaged.includes(position)) found.set(key, packed.subarray(at, at + length))
  }
}

/** Follows a block that has moved, and throws where it is damaged or missing. */
async function readAlone({ packs, disk, pool }: Parts, key: BlockKey): Promise<Uint8Array> {
  return await packs.follow(key, async ({ pack, offset, length }) => {
    const read = await disk.read(packPath(pack.name), { offset, length })
    if (read?.length !== length) return undefined
    const blocks = [{ key, at: 0, length }]
    const { packed, damaged } = await pool.run('check', { packed: read, blocks })
    return damaged.length === 0 ? packed : undefined
  })
}
