/**
 * The bytes of a pack file: packed blocks, then an index of them, then a footer
 * with its checksum. The format is described in docs/formats/block-store.md.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type BlockKey, keySizeBytes } from './block.ts'

export const packMagic = Buffer.from('imgpack1', 'latin1')
const endMagic = 'imgpend1'
export const entrySizeBytes = keySizeBytes + 8
export const footerSizeBytes = 48
/** So that a place in the store (pack and entry) fits into 32 bits. */
export const packEntriesMax = 4096

/** A pack that has so much is full. */
export const targetSizeBytes = 64 * 1024 * 1024
/** A few less than fit, since they come in batches. */
export const targetEntries = 4000

export interface PackEntry {
  readonly key: BlockKey
  readonly offset: number
  readonly length: number
}

export function encodeIndex(entries: readonly PackEntry[]): Buffer {
  assert(entries.length <= packEntriesMax)
  const index = Buffer.allocUnsafe(entries.length * entrySizeBytes)
  for (const [position, { key, offset, length }] of entries.entries()) {
    const at = position * entrySizeBytes
    index.write(key, at, 'latin1')
    index.writeUInt32LE(offset, at + keySizeBytes)
    index.writeUInt32LE(length, at + keySizeBytes + 4)
  }
  return index
}

export function encodeFooter(index: Buffer): Buffer {
  const footer = Buffer.alloc(footerSizeBytes)
  footer.writeUInt32LE(index.length / entrySizeBytes, 0)
  createHash('sha256').update(index).digest().copy(footer, 8)
  footer.write(endMagic, 40, 'latin1')
  return footer
}

/** Where the index lies in a pack that ends with these bytes. Throws where that is no footer. */
export function indexRange(footer: Buffer, packSizeBytes: number) {
  assert.equal(footer.length, footerSizeBytes, 'the pack is too short')
  assert.equal(footer.toString('latin1', 40), endMagic, 'the pack has no footer')
  const count = footer.readUInt32LE(0)
  assert(count <= packEntriesMax, 'the pack has too many entries')
  assert.equal(footer.readUInt32LE(4), 0, 'the footer of the pack is damaged')
  const length = count * entrySizeBytes
  const offset = packSizeBytes - footerSizeBytes - length
  assert(offset >= packMagic.length, 'the pack is too short')
  return { offset, length }
}

/** Throws where the index is not the one that the footer was made for. */
export function checkIndex(index: Buffer, footer: Buffer): void {
  const checksum = createHash('sha256').update(index).digest()
  assert(checksum.equals(footer.subarray(8, 40)), 'the index of the pack is damaged')
}
