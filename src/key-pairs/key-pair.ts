/**
 * A key pair: a name in an account and Region, and the public half of a key.
 * The private half is handed out once, when the pair is made, and kept nowhere.
 */
import { ApiError } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'

export type KeyType = 'rsa' | 'ed25519'

export interface KeyPair {
  readonly id: Id<'key-pair'>
  readonly accountId: string
  readonly region: string
  readonly name: string
  readonly type: KeyType
  readonly fingerprint: string
  /** One line as `authorized_keys` has it. */
  readonly publicKey: string
  readonly createdAt: Date
}

const nameLengthMax = 255

export function checkKeyName(name: string): void {
  // Printable ASCII, and no space at either end.
  if (name.length <= nameLengthMax && /^[!-~](?:[ -~]*[!-~])?$/.test(name)) return
  throw new ApiError(
    'InvalidParameterValue',
    `Value (${name}) for parameter KeyName is invalid. Up to ${nameLengthMax} ASCII characters are allowed, with no leading or trailing spaces`,
  )
}

export function keyPairNotFound(name: string): ApiError {
  return new ApiError('InvalidKeyPair.NotFound', `The key pair '${name}' does not exist`)
}

export function keyPairIdNotFound(id: string): ApiError {
  return new ApiError('InvalidKeyPair.NotFound', `The key pair ID '${id}' does not exist`)
}

export function keyPairExists(name: string): ApiError {
  return new ApiError('InvalidKeyPair.Duplicate', `The keypair '${name}' already exists.`)
}
