/** What a caller of the block store tells apart. Everything else that is thrown is a broken machine. */
import type { Digest } from '../lib/digest.ts'

/** A block is named and its bytes are damaged. */
export class CorruptBlock extends Error {
  readonly digest: Digest
  /** The file, and the byte in it where the block begins. */
  readonly where: string

  constructor(digest: Digest, where: string) {
    super(`The content of block ${digest} is damaged: ${where}`)
    this.name = 'CorruptBlock'
    this.digest = digest
    this.where = where
  }
}

/** Bytes came with a digest that is not theirs. */
export class WrongDigest extends Error {
  constructor(digest: Digest) {
    super(`What came is not the content of ${digest}`)
    this.name = 'WrongDigest'
  }
}

export class MissingBlock extends Error {
  readonly digest: Digest

  constructor(digest: Digest) {
    super(`There is no block ${digest} in the store`)
    this.name = 'MissingBlock'
    this.digest = digest
  }
}

export class CorruptManifest extends Error {
  readonly digest: Digest

  constructor(digest: Digest, reason: string) {
    super(`The manifest ${digest} is damaged: ${reason}`)
    this.name = 'CorruptManifest'
    this.digest = digest
  }
}

export class MissingManifest extends Error {
  readonly digest: Digest

  constructor(digest: Digest) {
    super(`There is no manifest ${digest} in the store`)
    this.name = 'MissingManifest'
    this.digest = digest
  }
}

/** The disk under a file is full, or the quota is used up. Nothing half-written is left. */
export class DiskFull extends Error {
  readonly file: string

  constructor(file: string, cause: unknown) {
    super(`Could not write a file because its disk is full: ${file}`, { cause })
    this.name = 'DiskFull'
    this.file = file
  }
}

/** The file system has no files as large as the disk: nothing that waiting would help. */
export class DiskTooLarge extends Error {
  constructor(sizeBytes: number, cause: unknown) {
    const sizeGiB = Math.ceil(sizeBytes / 2 ** 30)
    super(`A disk of ${sizeGiB} GiB is larger than a file of this host can be`, { cause })
    this.name = 'DiskTooLarge'
  }
}

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

/** The error itself, or `DiskFull` where that is what it means. */
export function asDiskFull(error: unknown, file: string): unknown {
  return hasCode(error, 'ENOSPC', 'EDQUOT') ? new DiskFull(file, error) : error
}
