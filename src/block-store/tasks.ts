/**
 * The work that costs CPU time, as functions of plain data, so that it can be
 * done by a worker or right here. An ArrayBuffer is handed over; a SharedArrayBuffer is
 * used by one side at a time.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import {
  type BlockKey,
  blockSizeBytes,
  isZero,
  keyOfBytes,
  packBlock,
  packedSizeBytesMax,
  unpackBlock,
} from './block.ts'
import { release } from './release.ts'

/** Bytes of a file that go to `at` in a buffer. */
export interface Piece {
  readonly file: string
  readonly fileOffset: number
  readonly length: number
  readonly at: number
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
  /** Fills a buffer of whole blocks with pieces of files, in their order. The key of a zero block is ''. */
  read(input: { plain: AnyBytes; pieces: readonly Piece[] }): { keys: BlockKey[] }
  /** Packs the blocks at these positions of a buffer, one behind the other: in `room`, where given. */
  pack(input: { plain: AnyBytes; positions: readonly number[]; room?: ArrayBufferLike }): {
    packed: AnyBytes
    lengths: number[]
  }
  /** Which of the blocks are damaged, by position. */
  check(input: { packed: Bytes; blocks: readonly Packed[] }): { packed: Bytes; damaged: number[] }
  /** The plain bytes of one block; nothing where it is damaged. */
  unpack(input: { packed: Bytes; key: BlockKey }): { plain: Bytes | undefined }
  /** Writes the plain bytes into a file, but for zeros; tells which are damaged, which are not written. */
  write(input: { packed: Bytes; blocks: readonly PackedFor[]; path: string }): {
    damaged: number[]
  }
}

export const tasks: Tasks = {
  read({ plain, pieces }) {
    const files = new Map<string, number>()
    try {
      let end = 0
      for (const piece of pieces) {
        plain.fill(0, end, piece.at)
        readPiece(plain, piece, files)
        end = piece.at + piece.length
      }
      plain.fill(0, end)
    } finally {
      for (const file of files.values()) closeSync(file)
    }
    const keys: BlockKey[] = []
    for (let at = 0; at < plain.length; at += blockSizeBytes) {
      const block = plain.subarray(at, at + blockSizeBytes)
      keys.push(isZero(block) ? '' : keyOfBytes(block))
    }
    return { keys }
  },

  pack({ plain, positions, room = new ArrayBuffer(positions.length * packedSizeBytesMax) }) {
    const bytes = new Uint8Array(room)
    let at = 0
    const lengths = positions.map((position) => {
      const start = position * blockSizeBytes
      const block = packBlock(plain.subarray(start, start + blockSizeBytes))
      const { length } = block
      bytes.set(block, at)
      at += length
      release(block)
      return length
    })
    release(plain)
    return { packed: bytes.subarray(0, at), lengths }
  },

  check({ packed, blocks }) {
    const damaged: number[] = []
    for (const [position, { key, at, length }] of blocks.entries()) {
      const bytes = unpackBlock(key, packed.subarray(at, at + length))
      if (bytes) release(bytes)
      else damaged.push(position)
    }
    return { packed, damaged }
  },

  unpack({ packed, key }) {
    const bytes = unpackBlock(key, packed)
    return { plain: bytes && new Uint8Array(bytes) }
  },

  write({ packed, blocks, path }) {
    const damaged: number[] = []
    const file = openSync(path, 'r+')
    try {
      for (const [position, { key, at, length, offset, plainLength }] of blocks.entries()) {
        const bytes = unpackBlock(key, packed.subarray(at, at + length))
        if (bytes) {
          writeSparse(file, bytes.subarray(0, plainLength), offset)
          release(bytes)
        } else damaged.push(position)
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

function readPiece(plain: AnyBytes, piece: Piece, files: Map<string, number>): void {
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

/** Leaves runs of zeros out of a file, which reads as zeros where nothing was written. */
const sparseStepBytes = 64 * 1024

function writeSparse(file: number, bytes: Uint8Array, offset: number): void {
  let start = 0
  const flush = (end: number) => {
    for (let at = start; at < end;) at += writeSync(file, bytes, at, end - at, offset + at)
  }
  for (let at = 0; at < bytes.length; at += sparseStepBytes) {
    if (!isZero(bytes.subarray(at, at + sparseStepBytes))) continue
    flush(at)
    start = Math.min(at + sparseStepBytes, bytes.length)
  }
  flush(bytes.length)
}
