/**
 * Makes a disk of the store a sparse raw file. Invariant: the file has its name
 * only when it is whole, every block verified, and synced.
 */
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type BlockKey, blockSizeBytes } from './block.ts'
import { asDiskFull } from './errors.ts'
import { inLanes } from './lanes.ts'
import { keyAt, type Manifest } from './manifest.ts'
import { packedIn, packPath, type Span, spansOf } from './pack-reader.ts'
import type { PackEntry } from './pack-format.ts'
import type { Parts } from './parts.ts'
import type { WorkOptions } from './save-disk.ts'

interface Wanted {
  readonly key: BlockKey
  /** Where it goes. */
  readonly start: number
  readonly plainLength: number
}

type Found = PackEntry & Wanted & { readonly file: string }

const batchBlocks = 16

export async function writeDisk(
  parts: Parts,
  manifest: Manifest,
  path: string,
  { onProgress, signal }: WorkOptions,
): Promise<void> {
  const temporary = `${path}.tmp`
  const totalBytes = manifest.indexes.length * blockSizeBytes
  let doneBytes = 0
  try {
    await using file = await open(temporary, 'w')
    await file.truncate(manifest.sizeBytes)
    await inLanes(parts.pool.lanes, batchesOf(manifest), async (batch) => {
      signal?.throwIfAborted()
      await writeBatch(parts, batch, temporary)
      doneBytes += batch.length * blockSizeBytes
      onProgress?.(doneBytes, totalBytes)
    })
    await file.sync()
    await rename(temporary, path)
    await using directory = await open(dirname(path), 'r')
    await directory.sync()
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw asDiskFull(error, path)
  }
}

function* batchesOf(manifest: Manifest): Generator<readonly Wanted[]> {
  let batch: Wanted[] = []
  for (const [position, index] of manifest.indexes.entries()) {
    const start = index * blockSizeBytes
    const plainLength = Math.min(blockSizeBytes, manifest.sizeBytes - start)
    batch.push({ key: keyAt(manifest, position), start, plainLength })
    if (batch.length < batchBlocks) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** Reads blocks that are neighbours in a pack at once. */
async function writeBatch(parts: Parts, batch: readonly Wanted[], path: string): Promise<void> {
  const byFile = new Map<string, Found[]>()
  const alone: Wanted[] = []
  for (const wanted of batch) {
    const place = parts.packs.index.find(wanted.key)
    if (!place) {
      alone.push(wanted)
      continue
    }
    const file = packPath(place.pack.name)
    const found = { ...wanted, offset: place.offset, length: place.length, file }
    const inFile = byFile.get(file) ?? []
    if (inFile.some(({ offset }) => offset === found.offset)) alone.push(wanted)
    else inFile.push(found)
    byFile.set(file, inFile)
  }
  for (const [file, found] of byFile) {
    for (const span of spansOf(found)) alone.push(...(await writeSpan(parts, span, file, path)))
  }
  for (const wanted of alone) await writeAlone(parts, wanted, path)
}

/** Tells what could not be read there. */
async function writeSpan(
  { disk, pool }: Parts,
  span: Span<Found>,
  file: string,
  path: string,
): Promise<readonly Wanted[]> {
  const packed = await disk.read(file, span)
  if (!packed) return span.entries
  const blocks = packedIn(span).map((block, position) => {
    const { start = 0, plainLength = 0 } = span.entries[position] ?? {}
    return { ...block, offset: start, plainLength }
  })
  const { damaged } = await pool.run('write', { packed, blocks, path })
  return damaged.flatMap((position) => span.entries.slice(position, position + 1))
}

/** Follows a block that has moved, and throws where it is damaged or missing. */
async function writeAlone(parts: Parts, wanted: Wanted, path: string): Promise<void> {
  const { key, start, plainLength } = wanted
  await parts.packs.follow(key, async ({ pack, offset, length }) => {
    const packed = await parts.disk.read(packPath(pack.name), { offset, length })
    if (!packed) return undefined
    const blocks = [{ key, at: 0, length, offset: start, plainLength }]
    const { damaged } = await parts.pool.run('write', { packed, blocks, path })
    return damaged.length === 0 ? true : undefined
  })
}
