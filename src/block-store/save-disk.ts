/**
 * Saves a disk: reads the blocks that may have changed, stores those that are
 * new, then the manifest. Invariant: the manifest is written when each of its
 * blocks is in a sealed pack.
 */
import type { Digest } from '../lib/digest.ts'
import { type BlockKey, blockSizeBytes, packedSizeBytesMax } from './block.ts'
import type { BlockCipher } from './block-cipher.ts'
import type { BlockWriter } from './block-writer.ts'
import type { Claim } from './claims.ts'
import { cut } from './cut.ts'
import {
  type Batch,
  batchBlocks,
  batchesOf,
  blockRuns,
  type DiskRange,
  type DiskSource,
  indexesOf,
} from './disk-source.ts'
import { inLanes } from './lanes.ts'
import { blockCount, keyAt, type Manifest, manifestOf } from './manifest.ts'
import { encodedManifest } from './manifests.ts'
import type { Parts } from './parts.ts'
import type { Pins } from './pins.ts'
import type { TaskInput } from './tasks.ts'

export interface SavedDisk {
  readonly manifest: Digest
  readonly sizeBytes: number
  /** Blocks in the manifest: those that are not zero. */
  readonly blocks: number
  readonly blocksRead: number
  /** Blocks that differ from the earlier state; all where there is none. */
  readonly blocksChanged: number
  /** Blocks that the store did not have. */
  readonly blocksAdded: number
  /** What they take, packed. */
  readonly bytesAdded: number
}

export interface WorkOptions {
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export interface UploadParts {
  readonly parts: Parts
  readonly pins: Pins
  readonly writer: BlockWriter
  readonly cipher: BlockCipher | undefined
}

export async function saveDisk(
  upload: UploadParts,
  source: DiskSource,
  options: WorkOptions = {},
): Promise<SavedDisk> {
  const { parts, pins, cipher } = upload
  const before = source.since && (await readEarlier(upload, source.since.manifest))
  const blocks = new Map<number, BlockKey>()
  const ranges = before ? takeOver(upload, source, before, blocks) : source.extents
  const counts = await saveBlocks(upload, source, { ranges, blocks, ...options })

  const encoded = encodedManifest(manifestOf(source.sizeBytes, blocks), cipher)
  pins.add(encoded.digest)
  await parts.manifests.write(encoded, parts.now().getTime())
  return {
    manifest: encoded.digest,
    sizeBytes: source.sizeBytes,
    blocks: blocks.size,
    blocksChanged: before ? countChanged(before, blocks) : blocks.size,
    ...counts,
  }
}

async function readEarlier(
  { parts, pins, cipher }: UploadParts,
  digest: Digest,
): Promise<Manifest> {
  pins.add(digest)
  return await parts.manifests.read(digest, cipher)
}

/** Takes over what did not change, and tells what is to be read. */
function takeOver(
  { parts, pins }: UploadParts,
  { sizeBytes, since }: DiskSource,
  before: Manifest,
  blocks: Map<number, BlockKey>,
): readonly DiskRange[] {
  const ranges: DiskRange[] = [...(since?.changed ?? [])]
  // The last block of a disk that shrank still has bytes from beyond its new end.
  if (sizeBytes < before.sizeBytes && sizeBytes > 0)
    ranges.push({ start: sizeBytes - 1, length: 1 })
  const changed = blockRuns(ranges, sizeBytes)
  let cursor = 0
  for (const [position, index] of before.indexes.entries()) {
    if (index >= blockCount(sizeBytes)) break
    while ((changed[cursor]?.end ?? Infinity) <= index) cursor++
    if (index >= (changed[cursor]?.first ?? Infinity)) continue
    const key = keyAt(before, position)
    pins.add(key)
    if (parts.packs.index.has(key)) blocks.set(index, key)
    // It was lost. The disk still has it.
    else ranges.push({ start: index * blockSizeBytes, length: blockSizeBytes })
  }
  return ranges
}

interface Work extends WorkOptions {
  readonly ranges: readonly DiskRange[]
  /** Where the result goes. */
  readonly blocks: Map<number, BlockKey>
}

/**
 * For one batch at a time, and then for the next: new ones would cost more than what is done in
 * them. Shared with the threads: each ArrayBuffer that is handed over counts as memory that a
 * garbage collector should look after, which it then does ten times in a first bake.
 */
interface Buffers {
  readonly plain: SharedArrayBuffer
  readonly packed: SharedArrayBuffer
}

const makeBuffers = (): Buffers => ({
  plain: new SharedArrayBuffer(batchBlocks * blockSizeBytes),
  packed: new SharedArrayBuffer(batchBlocks * packedSizeBytesMax),
})

async function saveBlocks({ parts, writer, cipher }: UploadParts, source: DiskSource, work: Work) {
  const { blocks, signal, onProgress } = work
  const own = new Set<Claim>()
  let waitingFor = new Map<number, Claim>()
  const freeBuffers: Buffers[] = []
  let runs = blockRuns(work.ranges, source.sizeBytes)
  const total = runs.reduce((sum, { first, end }) => sum + end - first, 0)
  let done = 0
  const counts = { blocksRead: 0, blocksAdded: 0, bytesAdded: 0 }

  const saveBatch = async ({ indexes, pieces }: Batch) => {
    signal?.throwIfAborted()
    const buffers = freeBuffers.pop() ?? makeBuffers()
    const plain = new Uint8Array(buffers.plain, 0, indexes.length * blockSizeBytes)
    const { keys } = await parts.pool.run('read', { plain, pieces, cipher })
    const { claim, positions, others } = writer.decide(keys)
    for (const [position, other] of others) waitingFor.set(indexes[position] ?? 0, other)
    if (claim) {
      own.add(claim)
      await packAndWrite(claim, { plain, positions, keys, cipher, room: buffers.packed })
    }
    freeBuffers.push(buffers)
    for (const [position, index] of indexes.entries()) {
      const key = keys[position]
      if (key) blocks.set(index, key)
      else blocks.delete(index)
    }
    counts.blocksRead += indexes.length
    done += indexes.length
    onProgress?.(Math.min(done, total) * blockSizeBytes, total * blockSizeBytes)
  }

  const packAndWrite = async (claim: Claim, input: TaskInput<'pack'>) => {
    try {
      const { packed, lengths } = await parts.pool.run('pack', input)
      await writer.write(claim, cut(packed, lengths))
      counts.blocksAdded += lengths.length
      counts.bytesAdded += packed.length
    } catch (error) {
      claim.abandon(error)
      throw error
    }
  }

  while (runs.length > 0) {
    await inLanes(parts.pool.lanes, batchesOf(source, indexesOf(runs)), saveBatch)
    await writer.seal()
    await Promise.all([...own].map(({ sealed }) => sealed))
    // What another upload gave up, we read again.
    const failed: DiskRange[] = []
    for (const [index, claim] of waitingFor) {
      const isSealed = await claim.sealed.then(
        () => true,
        () => false,
      )
      if (!isSealed) failed.push({ start: index * blockSizeBytes, length: blockSizeBytes })
    }
    waitingFor = new Map()
    runs = blockRuns(failed, source.sizeBytes)
  }
  signal?.throwIfAborted()
  return counts
}

function countChanged(before: Manifest, blocks: ReadonlyMap<number, BlockKey>): number {
  let changed = blocks.size
  for (const [position, index] of before.indexes.entries()) {
    const now = blocks.get(index)
    if (now === undefined) changed++
    else if (now === keyAt(before, position)) changed--
  }
  return changed
}
