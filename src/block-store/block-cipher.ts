/**
 * What blocks and manifests are named and sealed with, where they are encrypted. It is
 * plain data, so that it can be handed to threads, and all of it follows from one key.
 * Invariant: equal content under one key has one name and one form, and nobody without
 * the key can tell a name, or find out whether some content has it.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { derive } from '../lib/derive.ts'

export interface BlockCipher {
  /** Names of blocks and of manifests: HMAC-SHA256 of the plain bytes. */
  readonly blockNames: Uint8Array
  readonly manifestNames: Uint8Array
  /** AES-256-GCM, with nonces that follow from the names. */
  readonly sealing: Uint8Array
  readonly nonces: Uint8Array
}

const nonceBytes = 12
const tagBytes = 16

export function cipherOf(key: Uint8Array): BlockCipher {
  return {
    blockNames: derive(key, 'block store: names of blocks'),
    manifestNames: derive(key, 'block store: names of manifests'),
    sealing: derive(key, 'block store: sealing'),
    nonces: derive(key, 'block store: nonces'),
  }
}

/** The keyed digest of content: 32 bytes. */
export function nameUnder(key: Uint8Array, bytes: Uint8Array): Buffer {
  return createHmac('sha256', key).update(bytes).digest()
}

/**
 * Nonce, ciphertext and tag, bound to `head`. The nonce follows from all that is sealed: the
 * same in the same place has one form, and whatever else has another nonce.
 */
export function sealUnder(cipher: BlockCipher, head: Uint8Array, content: Uint8Array): Buffer {
  const authenticator = createHmac('sha256', cipher.nonces).update(head).update(content)
  const nonce = authenticator.digest().subarray(0, nonceBytes)
  const aes = createCipheriv('aes-256-gcm', cipher.sealing, nonce, { authTagLength: tagBytes })
  aes.setAAD(head)
  return Buffer.concat([nonce, aes.update(content), aes.final(), aes.getAuthTag()])
}

/** What was sealed, or nothing where key, head or a byte is another. */
export function openUnder(
  cipher: BlockCipher,
  head: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  if (sealed.length < nonceBytes + tagBytes) return undefined
  const nonce = sealed.subarray(0, nonceBytes)
  const aes = createDecipheriv('aes-256-gcm', cipher.sealing, nonce, { authTagLength: tagBytes })
  aes.setAAD(head)
  aes.setAuthTag(sealed.subarray(-tagBytes))
  const content = aes.update(sealed.subarray(nonceBytes, -tagBytes))
  try {
    aes.final()
    return content
  } catch {
    content.fill(0)
    return undefined
  }
}
