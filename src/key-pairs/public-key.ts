/**
 * Public keys: reads the forms in which they are imported, writes the one in
 * which they are kept, and makes the fingerprints as EC2 makes them, which
 * differ by type and by who made the key.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/verify-keys.html
 */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { ApiError } from '../lib/errors.ts'
import type { KeyType } from './key-pair.ts'

export interface PublicKey {
  readonly type: KeyType
  /** What an OpenSSH line has as base64. */
  readonly blob: Buffer
}

const names = { rsa: 'ssh-rsa', ed25519: 'ssh-ed25519' } as const satisfies Record<KeyType, string>
const rsaBits = [1024, 2048, 3072, 4096]
const materialLengthMax = 16_384

/** Reads what `ImportKeyPair` brings: an OpenSSH line, RFC 4716, DER; each also as base64. */
export function readPublicKey(material: Uint8Array): PublicKey {
  if (material.length > materialLengthMax) throw tooLong()
  const text = Buffer.from(material).toString('latin1').trim()
  return (
    readText(text) ??
    readText(decodeBase64(text)?.toString('latin1').trim() ?? '') ??
    readDer(Buffer.from(material)) ??
    readDer(decodeBase64(text)) ??
    malformed()
  )
}

/** One line as `authorized_keys` has it. */
export function formatPublicKey({ type, blob }: PublicKey, comment: string): string {
  return `${names[type]} ${blob.toString('base64')} ${comment}`
}

export function publicKeyOf(key: KeyObject): PublicKey {
  const { kty, n = '', e = '', x = '' } = key.export({ format: 'jwk' })
  const bytes = (text: string) => Buffer.from(text, 'base64url')
  if (kty === 'RSA') {
    return { type: 'rsa', blob: sshStrings('ssh-rsa', unsigned(bytes(e)), unsigned(bytes(n))) }
  }
  return { type: 'ed25519', blob: sshStrings('ssh-ed25519', bytes(x)) }
}

/** The fingerprint of a key that was made elsewhere. */
export function fingerprintOfImported(key: PublicKey): string {
  if (key.type === 'ed25519') return sha256Fingerprint(key)
  const der = toKeyObject(key).export({ type: 'spki', format: 'der' })
  return withColons(createHash('md5').update(der).digest('hex'))
}

/** The fingerprint of a key that was made here. */
export function fingerprintOfCreated(privateKey: KeyObject, key: PublicKey): string {
  if (key.type === 'ed25519') return sha256Fingerprint(key)
  const der = privateKey.export({ type: 'pkcs8', format: 'der' })
  return withColons(createHash('sha1').update(der).digest('hex'))
}

/** As OpenSSH makes it, but with the padding of base64, as EC2 shows it. */
function sha256Fingerprint({ blob }: PublicKey): string {
  return createHash('sha256').update(blob).digest('base64')
}

function withColons(hex: string): string {
  return hex.replace(/(..)(?!$)/g, '$1:')
}

/** The parts of SSH's formats: each after its length in four bytes. */
export function sshStrings(...parts: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part as Uint8Array)
      const length = Buffer.alloc(4)
      length.writeUInt32BE(bytes.length)
      return [length, bytes]
    }),
  )
}

function readStrings(blob: Buffer): readonly Buffer[] {
  const parts: Buffer[] = []
  for (let at = 0; at < blob.length;) {
    if (at + 4 > blob.length) malformed()
    const length = blob.readUInt32BE(at)
    at += 4
    if (at + length > blob.length) malformed()
    parts.push(blob.subarray(at, at + length))
    at += length
  }
  return parts
}

function readText(text: string): PublicKey | undefined {
  const line = /^(?:ssh-rsa|ssh-ed25519)\s+([A-Za-z0-9+/]+={0,2})(?:\s|$)/.exec(text)?.[1]
  if (line !== undefined) return readBlob(Buffer.from(line, 'base64'))
  const rfc4716 = /^---- BEGIN SSH2 PUBLIC KEY ----\r?\n([^]*?)---- END SSH2 PUBLIC KEY ----/.exec(
    text,
  )?.[1]
  if (rfc4716 === undefined) return undefined
  // A header is `Name: value`, and goes on in the next line after a backslash.
  const body = rfc4716.replace(/^[^\n:]+:(?:[^\n]*\\\r?\n)*[^\n]*\n/gm, '').replace(/\s/g, '')
  return readBlob(decodeBase64(body) ?? malformed())
}

function readBlob(blob: Buffer): PublicKey {
  const [name = malformed(), ...values] = readStrings(blob)
  const key: PublicKey =
    name.toString() === names.ed25519
      ? { type: 'ed25519', blob }
      : name.toString() === names.rsa
        ? { type: 'rsa', blob }
        : malformed()
  if (values.length !== (key.type === 'rsa' ? 2 : 1)) malformed()
  return checkKey(key)
}

function readDer(bytes: Buffer | undefined): PublicKey | undefined {
  if (bytes?.[0] !== 0x30) return undefined
  try {
    const key = createPublicKey({ key: bytes, type: 'spki', format: 'der' })
    if (key.asymmetricKeyType !== 'rsa' && key.asymmetricKeyType !== 'ed25519') return undefined
    return checkKey(publicKeyOf(key))
  } catch (error) {
    if (error instanceof ApiError) throw error
    return undefined
  }
}

/** Refuses what is no key, and RSA keys of sizes that EC2 does not take. */
function checkKey(key: PublicKey): PublicKey {
  const bits = bitsOf(key)
  if (key.type === 'ed25519' || (bits !== undefined && rsaBits.includes(bits))) return key
  throw new ApiError('InvalidKeyPair.Format', 'Key length must be 1024, 2048, 3072 or 4096 bits')
}

function bitsOf(key: PublicKey): number | undefined {
  try {
    return toKeyObject(key).asymmetricKeyDetails?.modulusLength
  } catch {
    return malformed()
  }
}

function toKeyObject({ type, blob }: PublicKey): KeyObject {
  const [, first = Buffer.alloc(0), second = Buffer.alloc(0)] = readStrings(blob)
  const text = (bytes: Buffer) => unpadded(bytes).toString('base64url')
  const key =
    type === 'rsa'
      ? { kty: 'RSA', e: text(first), n: text(second) }
      : { kty: 'OKP', crv: 'Ed25519', x: first.toString('base64url') }
  return createPublicKey({ key, format: 'jwk' })
}

/** A number whose first bit is set has a zero before it, so that it is not negative. */
function unsigned(bytes: Buffer): Buffer {
  return (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes
}

function unpadded(bytes: Buffer): Buffer {
  return bytes[0] === 0 ? bytes.subarray(1) : bytes
}

function decodeBase64(text: string): Buffer | undefined {
  const bare = text.replace(/\s/g, '')
  return /^[A-Za-z0-9+/]+={0,2}$/.test(bare) ? Buffer.from(bare, 'base64') : undefined
}

function malformed(): never {
  throw new ApiError('InvalidKey.Format', 'Key is not in valid OpenSSH public key format')
}

function tooLong(): ApiError {
  return new ApiError('InvalidParameterValue', 'Value for parameter PublicKeyMaterial is too long')
}
