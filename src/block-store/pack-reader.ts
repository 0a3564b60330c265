/** Reads sealed packs: their index when the store is opened, and runs of blocks in few reads. */
import assert from 'node:assert/strict'
import { packedSizeBytesMax } from './block.ts'
import type { Pack } from './block-index.ts'
import type { Disk, FileInfo } from './disk.ts'
import { inLanes } from './lanes.ts'
import {
  checkIndex,
  footerSizeBytes,
  indexRange,
  packMagic,
  type PackEntry,
} from './pack-format.ts'
import type { Encrypted } from './tasks.ts'
import type { WorkerPool } from './worker-pool.ts'

/** Most packs have an index that fits in here, so that one read is enough. */
const tailSizeBytes = 32 * 1024

/** Throws where the pack is not whole. */
export async function loadPack(disk: Disk, info: FileInfo): Promise<Pack> {
  const { name, sizeBytes, modifiedAtMs } = info
  const tailOffset = Math.max(0, sizeBytes - tailSizeBytes)
  const tail = await read(disk, name, tailOffset, sizeBytes - tailOffset)
  const footer = tail.subarray(-footerSizeBytes)
  const { offset, length } = indexRange(footer, sizeBytes)
  const index =
    offset >= tailOffset
      ? Buffer.from(tail.subarray(offset - tailOffset, offset - tailOffset + length))
      : await read(disk, name, offset, length)
  checkIndex(index, footer)
  return { name, sizeBytes, sealedAtMs: modifiedAtMs, index }
}

async function read(disk: Disk, name: string, offset: number, length: number): Promise<Buffer> {
  const bytes = await disk.read(packPath(name), { offset, length })
  assert(bytes, 'the pack is not there')
  assert.equal(bytes.length, length, 'the pack is too short')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

export const packPath = (name: string): string => `packs/${name}`

export async function hasMagic(disk: Disk, name: string): Promise<boolean> {
  const head = await disk.read(name, { offset: 0, length: packMagic.length })
  return head !== undefined && packMagic.equals(head)
}

/** Blocks that lie one behind the other. */
export interface Span<E extends PackEntry = PackEntry> {
  readonly offset: number
  readonly length: number
  readonly entries: readonly E[]
}

const spanSizeBytes = 2 * 1024 * 1024
/** A span is over with the block that makes it larger than this. */
const spanSizeBytesMax = spanSizeBytes + packedSizeBytesMax

/** Joins neighbours, in the order of the file. */
export function* spansOf<E extends PackEntry>(entries: readonly E[]): Generator<Span<E>> {
  let span: { offset: number; length: number; entries: E[] } | undefined
  for (const entry of entries.toSorted((a, b) => a.offset - b.offset)) {
    if (span && (span.offset + span.length !== entry.offset || span.length > spanSizeBytes)) {
      yield span
      span = undefined
    }
    span ??= { offset: entry.offset, length: 0, entries: [] }
    span.length += entry.length
    span.entries.push(entry)
  }
  if (span) yield span
}

/** The packed blocks of a span, as the tasks take them. */
export function packedIn<E extends PackEntry & Encrypted>({ offset, entries }: Span<E>) {
  return entries.map((entry) => ({
    cipher: entry.cipher,
    key: entry.key,
    at: entry.offset - offset,
    length: entry.length,
  }))
}

/** Reads every one of the blocks, and tells which are damaged. */
export async function findDamaged(
  { disk, pool }: { readonly disk: Disk; readonly pool: WorkerPool },
  name: string,
  entries: readonly (PackEntry & Encrypted)[],
): Promise<readonly PackEntry[]> {
  const damaged: PackEntry[] = []
  const lanes = { lanes: pool.lanes }
  await readSpans(
    disk,
    name,
    entries,
    async (span, bytes) => {
      if (!bytes) return void damaged.push(...span.entries)
      const found = await pool.run('check', { packed: bytes, blocks: packedIn(span) })
      for (const position of found.damaged)
        damaged.push(...span.entries.slice(position, position + 1))
      return found.packed
    },
    lanes,
  )
  return damaged
}

/**
 * Reads blocks by spans, a few at a time, nothing where there is no file. Who looks at the bytes
 * gives them back for the next: new memory would cost more than the look.
 */
export async function readSpans<E extends PackEntry>(
  disk: Disk,
  name: string,
  entries: readonly E[],
  look: (
    span: Span<E>,
    bytes: Uint8Array<ArrayBuffer> | undefined,
  ) => Promise<Uint8Array<ArrayBuffer> | undefined>,
  { lanes } = { lanes: 2 },
): Promise<void> {
  const freeBuffers: ArrayBuffer[] = []
  await inLanes(lanes, spansOf(entries), async (span) => {
    const isUsual = span.length <= spanSizeBytesMax
    const buffer = isUsual ? (freeBuffers.pop() ?? new ArrayBuffer(spanSizeBytesMax)) : undefined
    const bytes = await look(span, await disk.read(name, span, buffer))
    if (bytes?.buffer.byteLength === spanSizeBytesMax) freeBuffers.push(bytes.buffer)
  })
  for (const buffer of freeBuffers) buffer.transfer(0)
}
