/**
 * Makes a key pair. RSA keys come as PKCS#1 PEM, ed25519 ones in OpenSSH's own
 * form, as EC2 hands them out; that form is written here, as Node has none of it.
 * https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key
 */
import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { KeyType } from './key-pair.ts'
import { fingerprintOfCreated, type PublicKey, publicKeyOf, sshStrings } from './public-key.ts'

export interface GeneratedKey {
  readonly publicKey: PublicKey
  readonly fingerprint: string
  /** The private key as a file for `ssh -i`. It is handed to the caller and kept nowhere. */
  readonly material: string
}

const rsaBits = 2048
const cipherBlockBytes = 8

export async function generateKey(type: KeyType, comment: string): Promise<GeneratedKey> {
  const { publicKey, privateKey } = await generate(type)
  const key = publicKeyOf(publicKey)
  const fingerprint = fingerprintOfCreated(privateKey, key)
  const material =
    type === 'rsa'
      ? privateKey.export({ type: 'pkcs1', format: 'pem' }).toString().trimEnd()
      : opensshPem(privateKey, key, comment)
  return { publicKey: key, fingerprint, material }
}

function generate(type: KeyType): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  return type === 'rsa'
    ? promisify(generateKeyPair)('rsa', { modulusLength: rsaBits })
    : promisify(generateKeyPair)('ed25519')
}

function opensshPem(privateKey: KeyObject, { blob }: PublicKey, comment: string): string {
  const { d = '', x = '' } = privateKey.export({ format: 'jwk' })
  const [seed, point] = [Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')]
  // Twice the same number tells a decryption that went well; nothing is encrypted here.
  const check = Buffer.alloc(8)
  const content = Buffer.concat([
    check,
    sshStrings('ssh-ed25519', point, Buffer.concat([seed, point]), comment),
  ])
  const padding = Array.from(
    { length: (cipherBlockBytes - (content.length % cipherBlockBytes)) % cipherBlockBytes },
    (_, index) => index + 1,
  )
  const one = Buffer.of(0, 0, 0, 1)
  const bytes = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    sshStrings('none', 'none', ''),
    one,
    sshStrings(blob, Buffer.concat([content, Buffer.from(padding)])),
  ])
  const lines = bytes.toString('base64').match(/.{1,70}/g) ?? []
  return [
    '-----BEGIN OPENSSH PRIVATE KEY-----',
    ...lines,
    '-----END OPENSSH PRIVATE KEY-----',
    '', // Without a line end, OpenSSH refuses to read it.
  ].join('\n')
}
