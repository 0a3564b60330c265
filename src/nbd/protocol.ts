/**
 * The words of the NBD protocol that we speak: fixed newstyle negotiation, simple replies, read-only exports.
 * https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
 */

/** What a client can have: a disk of bytes that never change. */
export interface Export {
  readonly sizeBytes: number
  /** The bytes, which lie within the disk, in pieces; nothing where they are damaged. */
  read(offset: number, length: number): Promise<readonly Uint8Array[] | undefined>
}

/** `NBDMAGIC` and `IHAVEOPT`, and that nothing but the fixed newstyle is spoken. */
export const greeting = Buffer.from('NBDMAGICIHAVEOPT\x00\x03', 'latin1')
export const optionMagic = Buffer.from('IHAVEOPT', 'latin1')
export const optionReplyMagic = Buffer.from('0003e889045565a9', 'hex')
export const requestMagic = 0x25609513
export const replyMagic = 0x67446698

export const clientFlags = { fixedNewstyle: 1, noZeroes: 2 } as const

export const options = { exportName: 1, abort: 2, list: 3, info: 6, go: 7 } as const

export const optionReplies = {
  ack: 1,
  server: 2,
  info: 3,
  unsupported: 0x80000001,
  invalid: 0x80000003,
  unknown: 0x80000006,
} as const

export const infos = { export: 0, blockSize: 3 } as const

export const commands = { read: 0, write: 1, disconnect: 2, flush: 3 } as const

/** The numbers are the protocol's own, whatever the system's are. */
export const errors = { none: 0, notPermitted: 1, inputOutput: 5, invalid: 22 } as const

/** Flags are told; read-only; flushes may be sent; more connections see the same. */
export const transmissionFlags = 1 | 2 | 4 | (1 << 8)

/** What a client is asked to keep to, and held to. */
export const requestBytesMax = 2 * 1024 ** 2
export const preferredBytes = 4096
