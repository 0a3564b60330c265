/** The name of a piece of content: the SHA-256 of its bytes. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'

export type Digest = `sha256:${string}`

export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

export function isDigest(text: string): text is Digest {
  return /^sha256:[0-9a-f]{64}$/.test(text)
}

export function parseDigest(text: string): Digest {
  assert(isDigest(text), `not a digest: ${text}`)
  return text
}

const known = new WeakMap<Uint8Array, Digest>()

/** The digest of bytes that nobody changes any more: it is worked out once, however often it is asked for. */
export function digestOfShared(bytes: Uint8Array): Digest {
  const found = known.get(bytes) ?? digestOf(bytes)
  known.set(bytes, found)
  return found
}
