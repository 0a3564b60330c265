/**
 * A disk to be saved: where its bytes lie in files. What no extent covers reads
 * as zeros, and is never read at all.
 */
import assert from 'node:assert/strict'
import type { Digest } from '../lib/digest.ts'
import { blockSizeBytes } from './block.ts'
import type { Piece } from './tasks.ts'

/** `start` and `length` are bytes of the disk. */
export interface DiskRange {
  readonly start: number
  readonly length: number
}

export interface DiskExtent extends DiskRange {
  readonly file: string
  readonly fileOffset: number
  /** What the bytes are encrypted with, by sectors of the file, as LUKS does it. */
  readonly masterKey?: Uint8Array
}

export interface DiskSource {
  readonly sizeBytes: number
  /** All of the disk, not only what changed; in any order, without overlap. */
  readonly extents: readonly DiskExtent[]
  /** An earlier state of this disk, whose blocks outside of `changed` are taken over unread. */
  readonly since?: { readonly manifest: Digest; readonly changed: readonly DiskRange[] }
}

/** Blocks from `first` up to and without `end`. */
export interface BlockRun {
  readonly first: number
  readonly end: number
}

/** The blocks that ranges touch, ascending and each once. */
export function blockRuns(ranges: readonly DiskRange[], sizeBytes: number): readonly BlockRun[] {
  const runs: { first: number; end: number }[] = []
  for (const { start, length } of ranges.toSorted((a, b) => a.start - b.start)) {
    const stop = Math.min(start + length, sizeBytes)
    if (stop <= start) continue
    const first = Math.floor(start / blockSizeBytes)
    const end = Math.ceil(stop / blockSizeBytes)
    const last = runs.at(-1)
    if (last && first <= last.end) last.end = Math.max(last.end, end)
    else runs.push({ first, end })
  }
  return runs
}

export function* indexesOf(runs: readonly BlockRun[]): Generator<number> {
  for (const { first, end } of runs) for (let index = first; index < end; index++) yield index
}

/** A few blocks to be read into one buffer. */
export interface Batch {
  readonly indexes: readonly number[]
  readonly pieces: readonly Piece[]
}

export const batchBlocks = 8

/** Cuts ascending blocks into batches, with the pieces of files that they are made of. */
export function* batchesOf(source: DiskSource, indexes: Iterable<number>): Generator<Batch> {
  const extents = source.extents.toSorted((a, b) => a.start - b.start)
  for (const [position, { start, length }] of extents.entries()) {
    const next = extents[position + 1]
    assert(!next || start + length <= next.start, `two extents overlap: at byte ${next?.start}`)
  }
  let cursor = 0
  let batch: { indexes: number[]; pieces: Piece[] } = { indexes: [], pieces: [] }
  for (const index of indexes) {
    const blockStart = index * blockSizeBytes
    const blockEnd = Math.min(blockStart + blockSizeBytes, source.sizeBytes)
    const bufferAt = batch.indexes.length * blockSizeBytes
    while (endOf(extents[cursor]) <= blockStart) cursor++
    for (let at = cursor; ; at++) {
      const extent = extents[at]
      if (!extent || extent.start >= blockEnd) break
      const start = Math.max(extent.start, blockStart)
      const end = Math.min(extent.start + extent.length, blockEnd)
      if (end <= start) continue
      batch.pieces.push({
        file: extent.file,
        fileOffset: extent.fileOffset + start - extent.start,
        length: end - start,
        at: bufferAt + start - blockStart,
        ...(extent.masterKey && { masterKey: extent.masterKey }),
      })
    }
    batch.indexes.push(index)
    if (batch.indexes.length < batchBlocks) continue
    yield batch
    batch = { indexes: [], pieces: [] }
  }
  if (batch.indexes.length > 0) yield batch
}

const endOf = (extent: DiskExtent | undefined) => (extent ? extent.start + extent.length : Infinity)
