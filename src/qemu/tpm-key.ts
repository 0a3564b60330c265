/**
 * Endorsement keys of a TPM: how they are asked for, and how they are told. Both
 * are made by the templates that everybody uses, so a guest that makes them again
 * gets the same ones. (TPM 2.0 Library, part 2, 12.2.4; TCG EK Credential Profile
 * 2.5, templates L-1 and H-3)
 */
import { createPublicKey, type webcrypto } from 'node:crypto'

export type EndorsementKeyType = 'rsa-2048' | 'ecc-sec-p384'

const rsa = 0x0001
const ecc = 0x0023
const sha256 = 0x000b
const sha384 = 0x000c
const aes = 0x0006
const cfb = 0x0043
const nothing = 0x0010
const nistP384 = 0x0004
/** Made in this TPM, bound to it, used by policy, and for nothing but to decrypt. */
const attributes = 0x000300b2
const userWithAuth = 0x40
const rsaPolicy = Buffer.from(
  '837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa',
  'hex',
)
const eccPolicy = Buffer.from(
  'b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419cacb47ba09699646150f9fc000f3f80e12',
  'hex',
)
const rsaBytes = 256
const rsaExponent = Buffer.from([1, 0, 1])

export interface EndorsementKey {
  readonly type: EndorsementKeyType
  /** TPMT_PUBLIC, as it is asked for. */
  readonly template: Buffer
  /** Where it is kept in the TPM, as in those of EC2. */
  readonly handle: number
}

export const endorsementKeys: readonly EndorsementKey[] = [
  {
    type: 'rsa-2048',
    handle: 0x81010001,
    template: Buffer.concat([
      u16(rsa),
      u16(sha256),
      u32(attributes),
      sized(rsaPolicy),
      ...[aes, 128, cfb, nothing, rsaBytes * 8].map(u16),
      u32(0),
      sized(Buffer.alloc(rsaBytes)),
    ]),
  },
  {
    type: 'ecc-sec-p384',
    handle: 0x81010016,
    template: Buffer.concat([
      u16(ecc),
      u16(sha384),
      u32(attributes | userWithAuth),
      sized(eccPolicy),
      ...[aes, 256, cfb, nothing, nistP384, nothing, 0, 0].map(u16),
    ]),
  },
]

/** A TPMT_PUBLIC of such a key as SubjectPublicKeyInfo, in DER. */
export function toDer(type: EndorsementKeyType, publicArea: Uint8Array): Buffer {
  const bytes = Buffer.from(publicArea)
  const text = (part: Buffer) => part.toString('base64url')
  if (type === 'rsa-2048') {
    const n = text(bytes.subarray(-rsaBytes))
    return exported({ kty: 'RSA', n, e: text(rsaExponent) })
  }
  const template = endorsementKeys.find((key) => key.type === type)?.template ?? Buffer.alloc(0)
  // The template ends in two empty coordinates, each of them a length.
  const xAt = template.length - 4
  const x = bytes.subarray(xAt + 2, xAt + 2 + bytes.readUInt16BE(xAt))
  const yAt = xAt + 2 + x.length
  const y = bytes.subarray(yAt + 2, yAt + 2 + bytes.readUInt16BE(yAt))
  return exported({ kty: 'EC', crv: 'P-384', x: text(padded(x)), y: text(padded(y)) })
}

function exported(key: webcrypto.JsonWebKey): Buffer {
  return createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'der' })
}

/** A coordinate may come without its leading zeros. */
function padded(coordinate: Buffer): Buffer {
  return Buffer.concat([Buffer.alloc(48 - coordinate.length), coordinate])
}

/** As a TPM has its numbers: the most significant byte first. */
export function u16(value: number): Buffer {
  return Buffer.from([value >>> 8, value & 0xff])
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export function sized(bytes: Uint8Array): Buffer {
  return Buffer.concat([u16(bytes.length), bytes])
}
