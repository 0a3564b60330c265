/**
 * Stores blocks that come packed from elsewhere, without packing them again. Invariant: a block is
 * claimed when it was found to be what it is called, so that who waits for it never waits in vain
 * because of what others bring.
 */
import { type BlockKey, digestOfKey, zeroKey } from './block.ts'
import type { Claim } from './claims.ts'
import { CorruptBlock } from './errors.ts'
import { inLanes } from './lanes.ts'
import { makePages } from './pages.ts'
import type { UploadParts } from './save-disk.ts'
import type { Packed } from './tasks.ts'

/** Puts the next blocks into pages of memory, and tells where they are; nothing when there are no more. */
export type NextPacked = (
  into: Uint8Array<SharedArrayBuffer>,
  blocksMax: number,
) => Promise<readonly Packed[] | undefined>

export interface TakeOptions {
  readonly onTaken?: ((blocks: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

const batchBlocks = 8
/** Room for so many blocks of an ordinary disk, and for the largest one. */
const batchBytes = 1536 * 1024

/** Tells how many bytes that added. */
export async function takeBlocks(
  { parts, writer }: UploadParts,
  nextBlocks: NextPacked,
  { onTaken, signal }: TakeOptions,
): Promise<number> {
  /** For one batch at a time, as in `save-disk.ts`. */
  const freeBuffers: Uint8Array<SharedArrayBuffer>[] = []
  const claims = new Set<Claim>()
  let addedBytes = 0
  let isOver = false
  let reading: Promise<unknown> = Promise.resolve()

  /** One after the other, and while others are looked at. */
  const read = (into: Uint8Array<SharedArrayBuffer>) => {
    const blocks = reading.then(() => nextBlocks(into, batchBlocks))
    reading = blocks
    return blocks
  }

  const takeBatch = async () => {
    signal?.throwIfAborted()
    const packed = freeBuffers.pop() ?? makePages(batchBytes)
    const blocks = await read(packed)
    if (!blocks) {
      isOver = true
      return
    }
    const { repacked, damaged } = await parts.pool.run('admit', { packed, blocks })
    const [bad] = damaged
    if (bad !== undefined) throw new CorruptBlock(digestOfKey(blocks[bad]?.key ?? ''), 'it came so')
    const { claim, positions, others } = writer.decide(blocks.map(keyToKeep))
    for (const other of others.values()) claims.add(other)
    if (claim) {
      claims.add(claim)
      const wanted = positions.map((position) => {
        const { at = 0, length = 0 } = blocks[position] ?? {}
        return repacked.get(position) ?? packed.subarray(at, at + length)
      })
      await writer.write(claim, wanted)
      for (const { length } of wanted) addedBytes += length
    }
    freeBuffers.push(packed)
    onTaken?.(blocks.length)
  }

  const untilOver = function* () {
    while (!isOver) yield
  }
  // As many again wait for the disk.
  await inLanes(2 * parts.pool.lanes, untilOver(), takeBatch)
  await writer.seal()
  // Where another upload gave up a block, this one fails too, and is done again.
  await Promise.all([...claims].map(({ sealed }) => sealed))
  signal?.throwIfAborted()
  return addedBytes
}

/** A block of zeros is named and not kept. */
const keyToKeep = ({ key }: Packed): BlockKey => (key === zeroKey ? '' : key)
