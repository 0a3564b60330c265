/**
 * The work that costs CPU time, as functions of plain data, so that it can be
 * done by a worker or right here. An ArrayBuffer is handed over; a SharedArrayBuffer is
 * used by one side at a time.
 */
import assert from 'node:assert/strict'
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { decryptSectors, encryptSectors, xtsSectorBytes } from '../lib/xts.ts'
import {
  type BlockKey,
  blockSizeBytes,
  clear,
  isZero,
  keyOfBytes,
  packBlock,
  packedSizeBytesMax,
  unpackBlock,
  unpackedSlackBytes,
} from './block.ts'
import type { BlockCipher } from './block-cipher.ts'
import { hasCode } from './errors.ts'
import { isOneFrame } from './frame.ts'
import { release } from './release.ts'
import { isIntact, nameBlock, packNamed, unpackNamed } from './sealed-block.ts'

/** Bytes of a file that go to `at` in a buffer. */
export interface Piece {
  readonly file: string
  readonly fileOffset: number
  readonly length: number
  readonly at: number
  /** What it is encrypted with, by sectors of the file. */
  readonly masterKey?: Uint8Array
}

/** Bytes of a file. */
export interface FilePlace {
  readonly path: string
  readonly offset: number
  readonly length: number
}

/** A packed block in a buffer. */
export interface Packed {
  readonly key: BlockKey
  readonly at: number
  readonly length: number
}

/** A packed block, and where on a disk its plain bytes go. */
export interface PackedFor extends Packed {
  readonly offset: number
  readonly plainLength: number
}

type Bytes = Uint8Array<ArrayBuffer>
type AnyBytes = Uint8Array<ArrayBufferLike>

export interface Tasks {
  /**
   * Fills a buffer of whole blocks with pieces of files, none of which crosses from one block to
   * the next, in their order. The key of a zero block is '', and its bytes may be anything.
   */
  read(input: { plain: AnyBytes; pieces: readonly Piece[] } & Encrypted): { keys: BlockKey[] }
  /** Packs the blocks at these positions of a buffer, one behind the other: in `room`, where given. */
  pack(
    input: {
      plain: AnyBytes
      positions: readonly number[]
      /** By position. */
      keys: readonly BlockKey[]
      room?: ArrayBufferLike
    } & Encrypted,
  ): { packed: AnyBytes; lengths: number[] }
  /** Names one block: by its key, and by its digest, which is another where it is to be encrypted. */
  name(input: { plain: Bytes } & Encrypted): { plain: Bytes; key: BlockKey; plainKey: BlockKey }
  /** Packs one block where that is its key; nothing where it is not. */
  packGiven(input: { plain: Bytes; key: BlockKey }): { packed: AnyBytes | undefined }
  /** Which of the blocks are damaged, by position. Sealed ones are opened where their cipher is given. */
  check(input: { packed: Bytes; blocks: readonly (Packed & Encrypted)[] }): {
    packed: Bytes
    damaged: number[]
  }
  /**
   * Looks at packed plain blocks that came from elsewhere. Tells which are damaged, by position, and
   * packs those anew that a pack should not hold as they are.
   */
  admit(input: { packed: AnyBytes; blocks: readonly Packed[] }): {
    repacked: Map<number, Bytes>
    damaged: number[]
  }
  /** The plain bytes of one block; nothing where it is damaged. */
  unpack(input: { packed: Bytes; key: BlockKey } & Encrypted): { plain: Bytes | undefined }
  /** The same for one that is still in a file. */
  unpackFrom(input: { place: FilePlace; key: BlockKey } & Encrypted): { plain: Bytes | undefined }
  /** The same block under another cipher, or plain; nothing where it is damaged. */
  reseal(input: { packed: Bytes; key: BlockKey; to: BlockCipher | undefined } & Encrypted): {
    packed: Bytes | undefined
    key: BlockKey
  }
  /**
   * Writes the plain bytes into a file, but for zeros; or with a master key all of them, encrypted
   * by sectors of the file. Tells which are damaged, which are not written.
   */
  write(
    input: {
      packed: Bytes
      blocks: readonly PackedFor[]
      path: string
      /** Not a field of its own: a thread would be handed it for good. */
      encryption?: { readonly masterKey: Uint8Array } | undefined
    } & Encrypted,
  ): { damaged: number[] }
}

/** What the stored blocks are under, where they are encrypted. */
export interface Encrypted {
  readonly cipher?: BlockCipher | undefined
}

export const tasks: Tasks = {
  read({ plain, pieces, cipher }) {
    const files = new Map<string, number>()
    const keys: BlockKey[] = []
    const left = pieces.values()
    let { value: piece } = left.next()
    try {
      for (let at = 0; at < plain.length; at += blockSizeBytes) {
        const block = plain.subarray(at, at + blockSizeBytes)
        let readTo = 0
        for (; piece && piece.at < at + block.length; { value: piece } = left.next()) {
          clear(block, readTo, piece.at - at)
          readPiece(plain, piece, files)
          readTo = piece.at + piece.length - at
        }
        // Of nothing, there is nothing to be looked at.
        if (readTo > 0) clear(block, readTo, block.length)
        keys.push(readTo === 0 || isZero(block) ? '' : nameBlock(block, cipher))
      }
    } finally {
      for (const file of files.values()) closeSync(file)
    }
    return { keys }
  },

  pack(input) {
    const { plain, positions, keys, cipher } = input
    const { room } = input
    if (positions.length === 1 && !room) {
      const [position = 0] = positions
      const start = position * blockSizeBytes
      const block = plain.subarray(start, start + blockSizeBytes)
      const packed = packNamed(keys[position] ?? '', block, cipher)
      release(plain)
      return { packed, lengths: [packed.length] }
    }
    const bytes = new Uint8Array(room ?? new ArrayBuffer(positions.length * packedSizeBytesMax))
    let at = 0
    const lengths = positions.map((position) => {
      const start = position * blockSizeBytes
      const block = packNamed(
        keys[position] ?? '',
        plain.subarray(start, start + blockSizeBytes),
        cipher,
      )
      const { length } = block
      Buffer.from(block.buffer, block.byteOffset, length).copy(bytes, at)
      at += length
      release(block)
      return length
    })
    release(plain)
    return { packed: bytes.subarray(0, at), lengths }
  },

  name({ plain, cipher }) {
    const plainKey = keyOfBytes(plain)
    return { plain, plainKey, key: cipher ? nameBlock(plain, cipher) : plainKey }
  },

  packGiven({ plain, key }) {
    const packed = keyOfBytes(plain) === key ? packNamed(key, plain, undefined) : undefined
    release(plain)
    return { packed }
  },

  check({ packed, blocks }) {
    const damaged: number[] = []
    for (const [position, { key, at, length, cipher }] of blocks.entries()) {
      const block = packed.subarray(at, at + length)
      if (!cipher) {
        if (!isIntact(key, block)) damaged.push(position)
        continue
      }
      const bytes = unpackNamed(key, block, cipher)
      if (bytes) release(bytes)
      else damaged.push(position)
    }
    return { packed, damaged }
  },

  admit({ packed, blocks }) {
    const damaged: number[] = []
    const repacked = new Map<number, Bytes>()
    for (const [position, { key, at, length }] of blocks.entries()) {
      const block = packed.subarray(at, at + length)
      const plain = unpackBlock(key, block)
      if (!plain) {
        damaged.push(position)
        continue
      }
      if (!isOneFrame(block)) repacked.set(position, new Uint8Array(packBlock(plain)))
      release(plain)
    }
    return { repacked, damaged }
  },

  unpack({ packed, key, cipher }) {
    const bytes = unpackNamed(key, packed, cipher)
    release(packed)
    return { plain: bytes && ownBytes(bytes) }
  },

  unpackFrom({ place, ...block }) {
    const packed = readAt(place)
    return packed ? tasks.unpack({ ...block, packed }) : { plain: undefined }
  },

  reseal({ packed, key, cipher, to }) {
    const bytes = unpackNamed(key, packed, cipher)
    if (!bytes) return { packed: undefined, key }
    const name = nameBlock(bytes, to)
    const block = new Uint8Array(packNamed(name, bytes, to))
    release(bytes)
    return { packed: block, key: name }
  },

  write({ packed, blocks, path, cipher, encryption }) {
    const damaged: number[] = []
    const file = openSync(path, 'r+')
    try {
      for (const [position, { key, at, length, offset, plainLength }] of blocks.entries()) {
        const bytes = unpackNamed(key, packed.subarray(at, at + length), cipher)
        if (!bytes) {
          damaged.push(position)
          continue
        }
        const wanted = bytes.subarray(0, plainLength)
        if (encryption) {
          encryptSectors(encryption.masterKey, wanted, offset / xtsSectorBytes)
          writeWhole(file, wanted, offset)
        } else writeSparse(file, wanted, offset)
        release(bytes)
      }
    } finally {
      closeSync(file)
    }
    return { damaged }
  },
}

export type TaskName = keyof Tasks
export type TaskInput<N extends TaskName> = Parameters<Tasks[N]>[0]
export type TaskOutput<N extends TaskName> = ReturnType<Tasks[N]>

/** Bytes that can be handed over, as they have a buffer of their own. */
function ownBytes({ buffer, byteOffset, length }: Uint8Array): Bytes {
  assert(buffer instanceof ArrayBuffer && buffer.byteLength - length <= unpackedSlackBytes)
  return new Uint8Array(buffer, byteOffset, length)
}

/** What there is of it; nothing where there is no file. */
function readAt({ path, offset, length }: FilePlace): Bytes | undefined {
  const bytes = new Uint8Array(new ArrayBuffer(length))
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
  try {
    let at = 0
    while (at < length) {
      const count = readSync(file, bytes, at, length - at, offset + at)
      if (count === 0) break
      at += count
    }
    return bytes.subarray(0, at)
  } finally {
    closeSync(file)
  }
}

function readPiece(plain: AnyBytes, piece: Piece, files: Map<string, number>): void {
  readBytes(plain, piece, files)
  if (!piece.masterKey) return
  const bytes = plain.subarray(piece.at, piece.at + piece.length)
  decryptSectors(piece.masterKey, bytes, piece.fileOffset / xtsSectorBytes)
}

function readBytes(plain: AnyBytes, piece: Piece, files: Map<string, number>): void {
  const file = files.get(piece.file) ?? openSync(piece.file, 'r')
  files.set(piece.file, file)
  for (let done = 0; done < piece.length;) {
    const at = piece.at + done
    const count = readSync(file, plain, at, piece.length - done, piece.fileOffset + done)
    if (count === 0) {
      // QEMU leaves the end of a file out where it is zero.
      plain.fill(0, at, piece.at + piece.length)
      return
    }
    done += count
  }
}

function writeWhole(file: number, bytes: Uint8Array, offset: number): void {
  for (let at = 0; at < bytes.length;) {
    at += writeSync(file, bytes, at, bytes.length - at, offset + at)
  }
}

/** Leaves runs of zeros out of a file, which reads as zeros where nothing was written. */
const sparseStepBytes = 64 * 1024

function writeSparse(file: number, bytes: Uint8Array, offset: number): void {
  let start = 0
  const flush = (end: number) => writeWhole(file, bytes.subarray(start, end), offset + start)
  for (let at = 0; at < bytes.length; at += sparseStepBytes) {
    if (!isZero(bytes.subarray(at, at + sparseStepBytes))) continue
    flush(at)
    start = Math.min(at + sparseStepBytes, bytes.length)
  }
  flush(bytes.length)
}
