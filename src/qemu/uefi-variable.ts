/** A variable of UEFI that outlives a boot, however it is stored (UEFI Specification 2.10, 8.2). */

export interface UefiVariable {
  readonly name: string
  /** Of who defines it: 16 bytes, as they are stored. */
  readonly vendor: Uint8Array
  readonly attributes: number
  readonly data: Uint8Array
  /** 16 bytes, where the variable is authenticated by time. */
  readonly timestamp?: Uint8Array
  /** Of the certificate that may change it, where it is a private authenticated one. */
  readonly certificateDigest?: Uint8Array
}

export const vendorBytes = 16
export const timestampBytes = 16

/** EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS */
export const timeAuthenticated = 0x20

/** What should be a set of variables is none. The message says why. */
export class UefiDataError extends Error {
  override readonly name = 'UefiDataError'
}

export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

/** Reads numbers and parts one after the other, and refuses to read past the end. */
export class ByteReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  take(count: number): Buffer {
    if (count > this.left) throw new UefiDataError('the variables end in the middle')
    const start = this.#at
    this.#at += count
    return this.#bytes.subarray(start, this.#at)
  }

  u32(): number {
    return this.take(4).readUInt32LE()
  }

  /** A length: what does not fit in a number is past the end anyway. */
  u64(): number {
    return Number(this.take(8).readBigUInt64LE())
  }
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

export function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}
