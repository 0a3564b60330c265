/**
 * AES-256-GCM, the one cipher of the house: what is sealed opens only with the
 * same key and the same context, and not at all when a bit of it has changed.
 *
 *   sealed = version 1, nonce 12, ciphertext, tag 16 (bytes)
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'

export const keyBytes = 32
export const nonceBytes = 12
const tagBytes = 16
const version = 1

/** What encryption adds to a text. */
export const overheadBytes = nonceBytes + tagBytes

export type RandomBytes = (count: number) => Uint8Array

/** Seals what is kept, and opens it again. The key itself stays inside. */
export interface Sealer {
  seal(plaintext: Uint8Array, context: string): Uint8Array
  /** Throws where it was not sealed by this key in this context. */
  open(sealed: Uint8Array, context: string): Uint8Array
}

/** Something sealed that does not open: damaged, of another key, or of another place. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken'
}

/** `nonce ciphertext tag` of a text, bound to `context`. */
export function encrypt(
  key: Uint8Array,
  plaintext: Uint8Array,
  context: Uint8Array,
  randomBytes: RandomBytes,
): Uint8Array {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
  cipher.setAAD(context)
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

/** The text again, or nothing where key, context or a byte is another. */
export function decrypt(
  key: Uint8Array,
  encrypted: Uint8Array,
  context: Uint8Array,
): Uint8Array | undefined {
  if (encrypted.length < overheadBytes) return undefined
  const nonce = encrypted.subarray(0, nonceBytes)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
  decipher.setAAD(context)
  decipher.setAuthTag(encrypted.subarray(encrypted.length - tagBytes))
  const first = decipher.update(encrypted.subarray(nonceBytes, encrypted.length - tagBytes))
  try {
    return Buffer.concat([first, decipher.final()])
  } catch {
    // What came out before the tag was looked at is nobody's business.
    first.fill(0)
    return undefined
  }
}

export function sealerOf(key: Uint8Array, randomBytes: RandomBytes): Sealer {
  return {
    seal: (plaintext, context) =>
      Buffer.concat([
        Uint8Array.of(version),
        encrypt(key, plaintext, Buffer.from(context), randomBytes),
      ]),
    open(sealed, context) {
      const opened =
        sealed[0] === version ? decrypt(key, sealed.subarray(1), Buffer.from(context)) : undefined
      if (opened) return opened
      throw new SealBroken(`Cannot open what is sealed as ${context}: it or the key has changed`)
    },
  }
}
