/**
 * The list of a disk's blocks. Equal disks have equal bytes here, hence one digest:
 * size and blocks are all that goes in, sorted, with zero blocks left out.
 * The format is described in docs/formats/block-store.md.
 */
import assert from 'node:assert/strict'
import { type Digest, digestOf } from '../lib/digest.ts'
import { type BlockKey, blockSizeBytes, digestOfKey, keySizeBytes } from './block.ts'

/** Blocks by their place on the disk. 36 bytes a block, whatever the size of the disk. */
export interface Manifest {
  readonly sizeBytes: number
  /** Ascending; `keys` holds the 32 bytes of each in the same order. */
  readonly indexes: Uint32Array
  readonly keys: Buffer
}

const magic = 'imgmani1'
export const manifestHeadBytes = 24

export const blockCount = (sizeBytes: number): number => Math.ceil(sizeBytes / blockSizeBytes)

export function keyAt({ keys }: Manifest, position: number): BlockKey {
  return keys.toString('latin1', position * keySizeBytes, (position + 1) * keySizeBytes)
}

/** Every block that is not zero, in the order of the disk. */
export function* blocksOf(manifest: Manifest): Generator<readonly [index: number, digest: Digest]> {
  for (const [position, index] of manifest.indexes.entries()) {
    yield [index, digestOfKey(keyAt(manifest, position))]
  }
}

/** The block at that place of the disk, or nothing where it is zero. */
export function blockAt(manifest: Manifest, index: number): Digest | undefined {
  let low = 0
  let high = manifest.indexes.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((manifest.indexes[middle] ?? 0) < index) low = middle + 1
    else high = middle
  }
  return manifest.indexes[low] === index ? digestOfKey(keyAt(manifest, low)) : undefined
}

/** Builds a manifest of blocks in any order. */
export function manifestOf(sizeBytes: number, blocks: ReadonlyMap<number, BlockKey>): Manifest {
  const indexes = Uint32Array.from(blocks.keys()).sort()
  const keys = Buffer.allocUnsafe(indexes.length * keySizeBytes)
  for (const [position, index] of indexes.entries()) {
    keys.write(blocks.get(index) ?? '', position * keySizeBytes, 'latin1')
  }
  return { sizeBytes, indexes, keys }
}

export function encodeManifest({ sizeBytes, indexes, keys }: Manifest): Buffer {
  assert(Number.isSafeInteger(sizeBytes) && sizeBytes >= 0, `not a size: ${sizeBytes}`)
  assert.equal(keys.length, indexes.length * keySizeBytes)
  const gaps = Buffer.allocUnsafe(indexes.length * 4)
  let next = 0
  for (const [position, index] of indexes.entries()) {
    assert(index >= next && index < blockCount(sizeBytes), `block ${index} is out of place`)
    gaps.writeUInt32LE(index - next, position * 4)
    next = index + 1
  }
  const header = Buffer.alloc(manifestHeadBytes)
  header.write(magic, 'latin1')
  header.writeBigUInt64LE(BigInt(sizeBytes), 8)
  header.writeUInt32LE(blockSizeBytes, 16)
  header.writeUInt32LE(indexes.length, 20)
  return Buffer.concat([header, gaps, keys])
}

/** Where the keys lie in a manifest that begins with these bytes. Throws where it does not. */
export function keysRange(head: Buffer): { readonly start: number; readonly end: number } {
  assert.equal(head.toString('latin1', 0, 8), magic, 'it is of another format')
  const count = head.readUInt32LE(20)
  const start = manifestHeadBytes + count * 4
  return { start, end: start + count * keySizeBytes }
}

/** Throws where the bytes are not what `encodeManifest` makes. */
export function decodeManifest(bytes: Buffer): Manifest {
  assert(bytes.length >= manifestHeadBytes, 'it is too short')
  assert.equal(bytes.toString('latin1', 0, 8), magic, 'it is of another format')
  assert.equal(bytes.readUInt32LE(16), blockSizeBytes, 'its blocks are of another size')
  const sizeBytes = Number(bytes.readBigUInt64LE(8))
  assert(Number.isSafeInteger(sizeBytes), 'its disk is too large')
  // The places of blocks are kept in 32 bits: that is 2 PiB.
  assert(blockCount(sizeBytes) <= 2 ** 32, 'its disk is too large')
  const count = bytes.readUInt32LE(20)
  const keysAt = manifestHeadBytes + count * 4
  assert.equal(bytes.length, keysAt + count * keySizeBytes, 'its length is wrong')
  const indexes = new Uint32Array(count)
  let next = 0
  for (let position = 0; position < count; position++) {
    const index = next + bytes.readUInt32LE(manifestHeadBytes + position * 4)
    assert(index < blockCount(sizeBytes), 'a block lies outside of the disk')
    indexes[position] = index
    next = index + 1
  }
  return { sizeBytes, indexes, keys: bytes.subarray(keysAt) }
}

export function manifestDigest(manifest: Manifest): Digest {
  return digestOf(encodeManifest(manifest))
}
