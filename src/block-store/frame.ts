/** What a zstd frame says of itself before it is unpacked (RFC 8878, section 3.1.1). */
import { blockSizeBytes } from './block.ts'

export const frameMagic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])

/** Nothing where the frame does not end within the bytes. */
export function frameLength(bytes: Buffer, start: number): number | undefined {
  const descriptor = bytes[start + frameMagic.length]
  if (descriptor === undefined) return undefined
  const isSingleSegment = (descriptor & 0x20) !== 0
  const sizeFlag = descriptor >> 6
  const sizeBytes = sizeFlag === 0 ? Number(isSingleSegment) : 2 ** sizeFlag
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
  let at = start + frameMagic.length + 1 + Number(!isSingleSegment) + dictionaryBytes + sizeBytes
  for (;;) {
    if (at + 3 > bytes.length) return undefined
    const header = bytes.readUIntLE(at, 3)
    const type = (header >> 1) & 3
    at += 3 + (type === 1 ? 1 : header >> 3)
    if ((header & 1) === 1) break
  }
  if ((descriptor & 4) !== 0) at += 4
  return at <= bytes.length ? at - start : undefined
}

/**
 * Whether it is one frame and nothing else, and takes no more memory to unpack than a block has:
 * so that a pack can hold it, whoever packed it.
 */
export function isOneFrame(packed: Uint8Array): boolean {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.length)
  if (!bytes.subarray(0, frameMagic.length).equals(frameMagic)) return false
  const [descriptor = 0, window = 0] = bytes.subarray(frameMagic.length)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const windowBytes = isSingleSegment ? 0 : 2 ** (10 + (window >> 3)) * (1 + (window & 7) / 8)
  const hasDictionary = (descriptor & 3) !== 0
  return !hasDictionary && windowBytes <= blockSizeBytes && frameLength(bytes, 0) === bytes.length
}
