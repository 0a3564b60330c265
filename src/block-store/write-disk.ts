/**
 * Makes a disk of the store a file: a sparse raw one, or one whose layout is given, encrypted. Invariant: the file has its name
 * only when it is whole, every block verified, and synced.
 */
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type BlockKey, blockSizeBytes } from './block.ts'
import type { BlockCipher } from './block-cipher.ts'
import { asDiskFull, DiskTooLarge, hasCode } from './errors.ts'
import { inLanes } from './lanes.ts'
import { keyAt, type Manifest } from './manifest.ts'
import { packedIn, packPath, type Span, spansOf } from './pack-reader.ts'
import type { PackEntry } from './pack-format.ts'
import type { Parts } from './parts.ts'
import type { WorkOptions } from './save-disk.ts'

/** A file that holds more than the blocks of a disk, which are encrypted by sectors of the file. */
export interface FileLayout {
  readonly fileBytes: number
  /** What else there is, by its offset. */
  readonly parts: readonly { readonly offset: number; readonly bytes: Uint8Array }[]
  /** Where a block goes, by its position in the manifest. What is beyond the end is left out. */
  readonly offsetOf: (position: number) => number
  readonly masterKey: Uint8Array
}

export interface WriteOptions extends WorkOptions {
  /** What the disk is encrypted with in the store. */
  readonly cipher?: BlockCipher | undefined
  readonly layOut?: ((manifest: Manifest) => FileLayout) | undefined
  /** Nobody waits for it: what somebody waits for finds room between small pieces of the work. */
  readonly isBackground?: boolean
}

interface Target {
  readonly path: string
  readonly cipher: BlockCipher | undefined
  readonly layout: FileLayout | undefined
}

interface Wanted {
  readonly key: BlockKey
  /** Where it goes. */
  readonly start: number
  readonly plainLength: number
}

type Found = PackEntry & Wanted & { readonly file: string }

const batchBlocks = 16
const backgroundBatchBlocks = 4

export async function writeDisk(
  parts: Parts,
  manifest: Manifest,
  path: string,
  { onProgress, signal, cipher, layOut, isBackground = false }: WriteOptions,
): Promise<void> {
  const temporary = `${path}.tmp`
  const layout = layOut?.(manifest)
  const target = { path: temporary, cipher, layout }
  const totalBytes = manifest.indexes.length * blockSizeBytes
  let doneBytes = 0
  try {
    await using file = await open(temporary, 'w', 0o600)
    await file.truncate(layout?.fileBytes ?? manifest.sizeBytes)
    for (const { offset, bytes } of layout?.parts ?? []) {
      await file.write(bytes, 0, bytes.length, offset)
    }
    const lanes = isBackground ? Math.ceil(parts.pool.lanes / 2) : parts.pool.lanes
    const blocks = isBackground ? backgroundBatchBlocks : batchBlocks
    await inLanes(lanes, batchesOf(manifest, layout, blocks), async (batch) => {
      signal?.throwIfAborted()
      await writeBatch(parts, batch, target)
      doneBytes += batch.length * blockSizeBytes
      onProgress?.(doneBytes, totalBytes)
    })
    await file.sync()
    await rename(temporary, path)
    await using directory = await open(dirname(path), 'r')
    await directory.sync()
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    if (hasCode(error, 'EFBIG')) throw new DiskTooLarge(manifest.sizeBytes, error)
    throw asDiskFull(error, path)
  }
}

function* batchesOf(
  manifest: Manifest,
  layout: FileLayout | undefined,
  blocks: number,
): Generator<readonly Wanted[]> {
  let batch: Wanted[] = []
  for (const [position, index] of manifest.indexes.entries()) {
    const start = layout?.offsetOf(position) ?? index * blockSizeBytes
    const end = layout?.fileBytes ?? manifest.sizeBytes
    const plainLength = Math.min(blockSizeBytes, end - start)
    batch.push({ key: keyAt(manifest, position), start, plainLength })
    if (batch.length < blocks) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** Reads blocks that are neighbours in a pack at once. */
async function writeBatch(parts: Parts, batch: readonly Wanted[], target: Target): Promise<void> {
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
    for (const span of spansOf(found)) alone.push(...(await writeSpan(parts, span, file, target)))
  }
  for (const wanted of alone) await writeAlone(parts, wanted, target)
}

const taskOf = ({ path, cipher, layout }: Target) => ({
  path,
  cipher,
  encryption: layout && { masterKey: layout.masterKey },
})

/** Tells what could not be read there. */
async function writeSpan(
  { disk, pool }: Parts,
  span: Span<Found>,
  file: string,
  target: Target,
): Promise<readonly Wanted[]> {
  const packed = await disk.read(file, span)
  if (!packed) return span.entries
  const blocks = packedIn(span).map((block, position) => {
    const { start = 0, plainLength = 0 } = span.entries[position] ?? {}
    return { ...block, offset: start, plainLength }
  })
  const { damaged } = await pool.run('write', { packed, blocks, ...taskOf(target) })
  return damaged.flatMap((position) => span.entries.slice(position, position + 1))
}

/** Follows a block that has moved, and throws where it is damaged or missing. */
async function writeAlone(parts: Parts, wanted: Wanted, target: Target): Promise<void> {
  const { key, start, plainLength } = wanted
  await parts.packs.follow(key, async ({ pack, offset, length }) => {
    const packed = await parts.disk.read(packPath(pack.name), { offset, length })
    if (!packed) return undefined
    const blocks = [{ key, at: 0, length, offset: start, plainLength }]
    const { damaged } = await parts.pool.run('write', { packed, blocks, ...taskOf(target) })
    return damaged.length === 0 ? true : undefined
  })
}
