/**
 * What a key has encrypted, as callers keep it:
 *
 *   version 1 | key id 16 | material version 4 | nonce 12, ciphertext, tag 16 | check 8
 *
 * The head and the encryption context are the associated data of AES-256-GCM. The
 * check, the beginning of a SHA-256 of all before it, tells damage from a key that is
 * not there: it is no secret, and nothing is trusted for it.
 */
import { createHash } from 'node:crypto'
import { ApiError } from '../lib/errors.ts'
import { decrypt, encrypt, overheadBytes, type RandomBytes } from '../lib/seal.ts'
import { constraint } from './key.ts'
import { contextBytesMax } from './unknowns.ts'

/** The caller's words that were said when something was encrypted, and have to be said again. */
export type EncryptionContext = Readonly<Record<string, string>>

/** The material that a key encrypts with. A key may get a newer one; the old one still decrypts. */
export interface Material {
  readonly version: number
  readonly bytes: Uint8Array
}

/** What a blob says of itself. */
export interface Head {
  readonly keyId: string
  readonly materialVersion: number
}

const version = 1
const headBytes = 1 + 16 + 4
const checkBytes = 8

export const plaintextBytesMax = 4096
export const blobBytesMax = 6144

export function encryptBlob(
  keyId: string,
  material: Material,
  plaintext: Uint8Array,
  context: EncryptionContext,
  randomBytes: RandomBytes,
): Uint8Array {
  const head = Buffer.alloc(headBytes)
  head.writeUInt8(version, 0)
  head.set(Buffer.from(keyId.replaceAll('-', ''), 'hex'), 1)
  head.writeUInt32BE(material.version, headBytes - 4)
  const data = associatedData(head, context)
  const body = Buffer.concat([head, encrypt(material.bytes, plaintext, data, randomBytes)])
  return Buffer.concat([body, checkOf(body)])
}

/** Which key a blob is of. Refuses what is damaged, or was never a blob. */
export function readHead(blob: Uint8Array): Head {
  const bytes = Buffer.from(blob)
  const body = bytes.subarray(0, -checkBytes)
  const isWhole =
    bytes.length >= headBytes + overheadBytes + checkBytes &&
    bytes.length <= blobBytesMax &&
    bytes.readUInt8(0) === version &&
    checkOf(body).equals(bytes.subarray(-checkBytes))
  if (!isWhole) throw invalidCiphertext()
  const id = bytes.toString('hex', 1, 17)
  return {
    keyId: id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    materialVersion: bytes.readUInt32BE(headBytes - 4),
  }
}

/** The text in a blob whose head has been read. Refuses another context, key or byte. */
export function decryptBlob(
  blob: Uint8Array,
  material: Material,
  context: EncryptionContext,
): Uint8Array {
  const body = Buffer.from(blob).subarray(0, -checkBytes)
  const data = associatedData(body.subarray(0, headBytes), context)
  const plaintext = decrypt(material.bytes, body.subarray(headBytes), data)
  if (plaintext) return plaintext
  throw invalidCiphertext()
}

export const invalidCiphertext = (): ApiError =>
  new ApiError('InvalidCiphertextException', 'The ciphertext is not valid.')

/** Refuses a context that is too long, or that has no bytes of its own: half a pair of surrogates. */
export function checkContext(context: EncryptionContext | undefined): EncryptionContext {
  if (!context) return {}
  const isText = Object.entries(context)
    .flat()
    .every((text) => text.isWellFormed())
  if (!isText) throw constraint('encryptionContext', 'be text in Unicode')
  if (canonical(context).length <= contextBytesMax) return context
  throw constraint('encryptionContext', `have at most ${contextBytesMax} bytes`)
}

const associatedData = (head: Uint8Array, context: EncryptionContext): Uint8Array =>
  Buffer.concat([head, canonical(context)])

/** The same bytes for the same words in whatever order, and for no others: lengths, then texts. */
function canonical(context: EncryptionContext): Uint8Array {
  const entries = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1))
  return Buffer.concat(
    entries.flat().flatMap((text) => {
      const bytes = Buffer.from(text)
      const length = Buffer.alloc(4)
      length.writeUInt32BE(bytes.length)
      return [length, bytes]
    }),
  )
}

const checkOf = (bytes: Uint8Array): Buffer =>
  createHash('sha256').update(bytes).digest().subarray(0, checkBytes)
