/**
 * An image as one object: what it says of itself, the manifests of its disks, and each
 * block that they need, once. The format is described in docs/formats/stored-image.md.
 * Everything in it is named by a digest, from the description down, so that what was
 * read is what was written, or the reader throws `BadObject`.
 */
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { type BlockKey, packedSizeBytesMax, unpackBlock, zeroKey } from '../block-store/block.ts'
import type { BlockStore } from '../block-store/block-store.ts'
import { CorruptBlock } from '../block-store/errors.ts'
import {
  blockCount,
  decodeManifest,
  encodeManifest,
  keyAt,
  type Manifest,
} from '../block-store/manifest.ts'
import { sectorBytes } from '../block-store/pages.ts'
import { release } from '../block-store/release.ts'
import type { WorkOptions } from '../block-store/save-disk.ts'
import type { NextPacked } from '../block-store/take-blocks.ts'
import type { Packed } from '../block-store/tasks.ts'
import type { Upload } from '../block-store/upload.ts'
import { type Append, type StoredObject, TruncatedObject } from '../buckets/buckets.ts'
import { type Digest, digestOf } from '../lib/digest.ts'
import { type Description, descriptionBytesMax, parseDescription } from './description.ts'
import type { StoredDisk } from './description.ts'
import { BadObject } from './reading.ts'

const magic = Buffer.from('imgstor1', 'latin1')
const endMagic = Buffer.from('imgsend1', 'latin1')
const headSizeBytes = magic.length + 4 + 32
const lengthSizeBytes = 4
const bytesPerGiB = 2 ** 30
/** The length, and the least that a zstd frame has. */
const packedEntryBytesMin = lengthSizeBytes + 8
/** Read at once. */
const batchBlocks = 16
/** So many are being read while one is written. */
const batchesAhead = 3
/** What a manifest can grow by when it is packed, generously. */
const packingBytesMax = 64 * 1024

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

export interface StoredImageHead {
  readonly description: Description
  /** Names the whole content: what is in the object follows from it. */
  readonly digest: Digest
  /** Where the manifests begin. */
  readonly offset: number
}

/** Reads what an object says of itself. */
export async function readHead(object: StoredObject): Promise<StoredImageHead> {
  return await refusingDamage(async () => {
    const head = await object.read(0, headSizeBytes)
    if (!head.subarray(0, magic.length).equals(magic))
      throw new BadObject('it is of another format')
    const length = head.readUInt32LE(magic.length)
    if (length > descriptionBytesMax) throw new BadObject('its description is too long')
    const bytes = await object.read(headSizeBytes, length)
    const hash = createHash('sha256').update(bytes).digest()
    if (!hash.equals(head.subarray(magic.length + 4))) {
      throw new BadObject('its description is damaged')
    }
    const description = parseDescription(bytes)
    return { description, digest: digestOf(bytes), offset: headSizeBytes + length }
  })
}

/** Writes an object. The disks have to be held in the block store meanwhile. */
export async function writeObject(
  append: Append,
  description: Buffer,
  disks: readonly Pick<StoredDisk, 'manifest'>[],
  blockStore: Pick<BlockStore, 'readManifest' | 'readPackedBlocks'>,
  { onProgress, signal }: WorkOptions = {},
): Promise<void> {
  const lengthOfIt = Buffer.alloc(4)
  lengthOfIt.writeUInt32LE(description.length)
  const hash = createHash('sha256').update(description).digest()
  await append(Buffer.concat([magic, lengthOfIt, hash, description]))
  const manifests: Manifest[] = []
  for (const { manifest: digest } of disks) {
    const manifest = await blockStore.readManifest(digest)
    manifests.push(manifest)
    const params = { [constants.ZSTD_c_compressionLevel]: 3 }
    await append(withLength(await compress(encodeManifest(manifest), { params })))
  }
  const total = countBlocks(manifests)
  let done = 0
  const read = (keys: readonly BlockKey[]) => blockStore.readPackedBlocks(keys)
  for await (const blocks of readAhead(inBatches(keysOf(manifests)), read)) {
    signal?.throwIfAborted()
    await Promise.all(blocks.flatMap((block) => [append(lengthOf(block)), append(block)]))
    for (const block of blocks) release(block)
    done += blocks.length
    onProgress?.(done, total)
  }
  await append(endMagic)
}

/**
 * What there is in an object that someone misses: plain manifests, and plain blocks of those
 * that are `wanted`. A block that is damaged there is left out. Throws `BadObject` where it
 * cannot be told what is in it.
 */
export async function* findInObject(
  object: StoredObject,
  { description, offset }: StoredImageHead,
  wanted?: (key: BlockKey) => boolean,
): AsyncGenerator<{ readonly manifest: Buffer } | { readonly block: Uint8Array }> {
  let at = offset
  const lengthOfNext = async () => {
    const length = (await object.read(at, lengthSizeBytes)).readUInt32LE()
    at += lengthSizeBytes + length
    return length
  }
  try {
    const manifests: Manifest[] = []
    for (const disk of description.disks) {
      const length = await lengthOfNext()
      const plainBytesMax = manifestBytesMax(disk.sizeGiB)
      if (length > plainBytesMax + packingBytesMax) throw new BadObject('a part of it is too long')
      const packed = await object.read(at - length, length)
      const manifest = await readManifest(packed, disk, plainBytesMax)
      manifests.push(manifest)
      yield { manifest: encodeManifest(manifest) }
    }
    if (!wanted) return
    for (const key of keysOf(manifests)) {
      const length = await lengthOfNext()
      if (!wanted(key) || length > packedSizeBytesMax) continue
      const block = unpackBlock(key, await object.read(at - length, length))
      if (block) yield { block }
    }
  } catch (error) {
    throw error instanceof TruncatedObject ? new BadObject('it ends too soon') : error
  }
}

export interface RestoredDisk {
  readonly manifest: Digest
  readonly blocks: number
}

/** Brings the disks of an object into the block store. Tells what they are, in their order. */
export async function readObject(
  object: StoredObject,
  { description, offset }: StoredImageHead,
  upload: Pick<Upload, 'takeBlocks' | 'putManifest'>,
  { onProgress, signal }: WorkOptions = {},
): Promise<{ readonly disks: readonly RestoredDisk[]; readonly addedBytes: number }> {
  return await refusingDamage(async () => {
    let at = offset
    const next = async (lengthMax: number) => {
      const length = (await object.read(at, lengthSizeBytes)).readUInt32LE()
      if (length > lengthMax) throw new BadObject('a part of it is too long')
      const bytes = await object.read(at + lengthSizeBytes, length)
      at += lengthSizeBytes + length
      return bytes
    }
    const manifests: Manifest[] = []
    for (const disk of description.disks) {
      const plainBytesMax = manifestBytesMax(disk.sizeGiB)
      const packed = await next(plainBytesMax + packingBytesMax)
      manifests.push(await readManifest(packed, disk, plainBytesMax))
    }
    // What claims more blocks than there can be in it is not worth the memory to list them.
    const total = countBlocks(manifests, (object.sizeBytes - at) / packedEntryBytesMin)
    let done = 0
    const keys = keysOf(manifests)
    let key = keys.next()
    const nextBlocks: NextPacked = async (into, blocksMax) => {
      if (key.done) return undefined
      const start = at - (at % sectorBytes)
      const bytes = Buffer.from(into.buffer, into.byteOffset, await object.fill(into, start))
      const blocks: Packed[] = []
      let end = at - start
      while (!key.done && blocks.length < blocksMax && end + lengthSizeBytes <= bytes.length) {
        const length = bytes.readUInt32LE(end)
        if (length > packedSizeBytesMax) throw new BadObject('a part of it is too long')
        if (end + lengthSizeBytes + length > bytes.length) break
        blocks.push({ key: key.value, at: end + lengthSizeBytes, length })
        end += lengthSizeBytes + length
        key = keys.next()
      }
      if (blocks.length === 0) throw new BadObject('it ends too soon')
      at = start + end
      return blocks
    }
    const onTaken = (blocks: number) => {
      done += blocks
      onProgress?.(done, total)
    }
    const addedBytes = await upload.takeBlocks(nextBlocks, { onTaken, signal })
    const end = await object.read(at, endMagic.length)
    if (!end.equals(endMagic) || at + endMagic.length !== object.sizeBytes) {
      throw new BadObject('it does not end where it should')
    }
    const disks: RestoredDisk[] = []
    for (const manifest of manifests) {
      disks.push({ manifest: await upload.putManifest(manifest), blocks: manifest.indexes.length })
    }
    return { disks, addedBytes }
  })
}

const manifestBytesMax = (sizeGiB: number) => 24 + 36 * blockCount(sizeGiB * bytesPerGiB)

async function readManifest(
  packed: Uint8Array,
  { manifest: digest, sizeGiB }: StoredDisk,
  plainBytesMax: number,
): Promise<Manifest> {
  const plain = await decompress(packed, { maxOutputLength: plainBytesMax }).catch(() => undefined)
  if (!plain || digestOf(plain) !== digest) throw new BadObject(`manifest ${digest} is damaged`)
  const manifest = decode(plain, digest)
  if (manifest.sizeBytes < 1 || manifest.sizeBytes > sizeGiB * bytesPerGiB) {
    throw new BadObject(`the disk ${digest} has another size than it says`)
  }
  for (let position = 0; position < manifest.indexes.length; position++) {
    if (keyAt(manifest, position) !== zeroKey) continue
    throw new BadObject(`the manifest ${digest} has a block of zeros`)
  }
  return manifest
}

function decode(plain: Buffer, digest: Digest): Manifest {
  try {
    return decodeManifest(plain)
  } catch {
    throw new BadObject(`the manifest ${digest} is none`)
  }
}

/** Each block of the disks once, in the order in which they come first. */
function* keysOf(manifests: readonly Manifest[]): Generator<BlockKey> {
  const seen = new Set<BlockKey>()
  for (const manifest of manifests) {
    for (let position = 0; position < manifest.indexes.length; position++) {
      const key = keyAt(manifest, position)
      if (seen.has(key)) continue
      seen.add(key)
      yield key
    }
  }
}

function countBlocks(manifests: readonly Manifest[], max = Infinity): number {
  let count = 0
  for (const _ of keysOf(manifests)) {
    if (++count > max) throw new BadObject('it ends too soon')
  }
  return count
}

function* inBatches(keys: Iterable<BlockKey>): Generator<readonly BlockKey[]> {
  let batch: BlockKey[] = []
  for (const key of keys) {
    batch.push(key)
    if (batch.length < batchBlocks) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** Begins with the next ones while the one before is used. */
async function* readAhead<In, Out>(
  inputs: Iterable<In>,
  read: (input: In) => Promise<Out>,
): AsyncGenerator<Out> {
  const ahead: Promise<Out>[] = []
  for (const input of inputs) {
    const reading = read(input)
    reading.catch(() => {}) // It is thrown when its turn comes.
    ahead.push(reading)
    const first = ahead.length > batchesAhead ? ahead.shift() : undefined
    if (first) yield await first
  }
  for (const reading of ahead) yield await reading
}

const withLength = (bytes: Uint8Array): Buffer => Buffer.concat([lengthOf(bytes), bytes])

function lengthOf(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(lengthSizeBytes)
  length.writeUInt32LE(bytes.length)
  return length
}

/** Says of what only bad bytes can do that the object is bad. */
async function refusingDamage<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof TruncatedObject) throw new BadObject('it ends too soon')
    if (error instanceof CorruptBlock) throw new BadObject(`block ${error.digest} is damaged`)
    throw error
  }
}
