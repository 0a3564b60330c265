/**
 * Blocks as they lie in packs: one zstd frame, or that, sealed. A sealed block carries its
 * name and a checksum, so that damage is found without the key. What a function here
 * returns as plain always matches the name it was asked for.
 * The format is described in docs/formats/block-store.md.
 */
import { crc32 } from 'node:zlib'
import {
  type BlockKey,
  keyOfBytes,
  keySizeBytes,
  packBlock,
  unpackBlock,
  unpackWhole,
} from './block.ts'
import { type BlockCipher, nameUnder, openUnder, sealUnder } from './block-cipher.ts'
import { release } from './release.ts'

export const sealedMagic = Buffer.from('imgseal1', 'latin1')
const lengthAt = sealedMagic.length
const checksumAt = lengthAt + 4
const nameAt = checksumAt + 4
const headBytes = nameAt + keySizeBytes

/** The name of a block that is not zero. */
export function nameBlock(bytes: Uint8Array, cipher: BlockCipher | undefined): BlockKey {
  return cipher ? nameUnder(cipher.blockNames, bytes).toString('latin1') : keyOfBytes(bytes)
}

/** Packs a block, whose name is known. */
export function packNamed(
  key: BlockKey,
  bytes: Uint8Array,
  cipher: BlockCipher | undefined,
): Uint8Array {
  const packed = packBlock(bytes)
  if (!cipher) return packed
  const sealed = seal(key, packed, cipher)
  release(packed)
  return sealed
}

function seal(key: BlockKey, packed: Uint8Array, cipher: BlockCipher): Uint8Array {
  const name = Buffer.from(key, 'latin1')
  const sealed = sealUnder(cipher, name, packed)
  const block = Buffer.allocUnsafeSlow(headBytes + sealed.length)
  sealedMagic.copy(block)
  block.writeUInt32LE(sealed.length, lengthAt)
  name.copy(block, nameAt)
  sealed.copy(block, headBytes)
  block.writeUInt32LE(crc32(block.subarray(nameAt)), checksumAt)
  return block
}

/** The plain bytes, or nothing where that is not the block of that name under that key. */
export function unpackNamed(
  key: BlockKey,
  packed: Uint8Array,
  cipher: BlockCipher | undefined,
): Uint8Array | undefined {
  if (!cipher) return unpackBlock(key, packed)
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.length)
  if (sealedNameOf(bytes) !== key) return undefined
  const name = bytes.subarray(nameAt, headBytes)
  const opened = openUnder(cipher, name, bytes.subarray(headBytes))
  const plain = opened && unpackWhole(opened)
  return plain && nameBlock(plain, cipher) === key ? plain : undefined
}

/** Whether that is the block of that name: by its content, or by what a sealed one says of itself. */
export function isIntact(key: BlockKey, packed: Uint8Array): boolean {
  if (isSealed(packed)) {
    return sealedNameOf(Buffer.from(packed.buffer, packed.byteOffset, packed.length)) === key
  }
  const plain = unpackBlock(key, packed)
  if (plain) release(plain)
  return plain !== undefined
}

const isSealed = (packed: Uint8Array): boolean =>
  sealedMagic.equals(packed.subarray(0, sealedMagic.length))

/** The name of a sealed block that is not damaged; what follows it is left aside. */
export function sealedNameOf(bytes: Buffer): BlockKey | undefined {
  const length = sealedLength(bytes)
  if (length === undefined || length > bytes.length) return undefined
  const isRight = crc32(bytes.subarray(nameAt, length)) === bytes.readUInt32LE(checksumAt)
  return isRight ? bytes.toString('latin1', nameAt, headBytes) : undefined
}

/** How long it says it is; nothing where it is none. */
export function sealedLength(bytes: Buffer): number | undefined {
  if (bytes.length < headBytes || !isSealed(bytes)) return undefined
  return headBytes + bytes.readUInt32LE(lengthAt)
}
