/**
 * What other domains do with keys: find the one that a call names, and encrypt with it.
 * Nothing here asks who may: a call checks that before (`find.ts`), and a resource
 * that was encrypted for its owner is opened for its owner.
 *
 * A disk gets a data key of its own: `encryptUnder` gives the blob that its row keeps,
 * and `decryptUnder` opens that as long as the key is there and enabled.
 */
import type { Database } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import type { RandomBytes, Sealer } from '../lib/seal.ts'
import { aliasNotFound } from './alias.ts'
import { findAlias } from './alias-store.ts'
import {
  decryptBlob,
  encryptBlob,
  type EncryptionContext,
  invalidCiphertext,
  readHead,
} from './blob.ts'
import { checkUsable, type Key, keyArn, type Place } from './key.ts'
import { parseKeyReference } from './key-reference.ts'
import { findKey, findKeyIn, findMaterial } from './store.ts'

/** The key of an account that a text names: an id, an ARN, an alias or the alias's ARN. */
export async function resolveKey(
  db: Database,
  { accountId, region, keyId }: Place & { readonly keyId: string },
): Promise<Key> {
  const here = { accountId, region }
  const reference = parseKeyReference(keyId, here)
  if (reference.accountId !== accountId) throw notAllowed(keyId)
  const alias = reference.kind === 'alias' ? await findAlias(db, reference) : undefined
  if (reference.kind === 'alias' && !alias) throw aliasNotFound(reference)
  const id = reference.kind === 'key' ? reference.id : (alias?.keyId ?? '')
  const key = await findKey(db, { ...here, id })
  if (key) return key
  throw keyNotFound({ ...here, id })
}

/** Encrypts a text of some bytes, such as a data key. Refuses a key that is not enabled. */
export async function encryptUnder(
  db: Database,
  key: Key,
  plaintext: Uint8Array,
  context: EncryptionContext,
  { sealer, randomBytes }: { readonly sealer: Sealer; readonly randomBytes: RandomBytes },
): Promise<Uint8Array> {
  checkUsable(key)
  const material = await findMaterial(db, { keyId: key.id }, sealer)
  // The transaction may be one that sees what others did meanwhile.
  if (!material) throw keyNotFound(key)
  const blob = encryptBlob(key.id, material, plaintext, context, randomBytes)
  material.bytes.fill(0)
  return blob
}

/** Decrypts what `encryptUnder` gave, with the key that is in it: `keyOfBlob` finds that. */
export async function decryptUnder(
  db: Database,
  key: Key,
  blob: Uint8Array,
  context: EncryptionContext,
  sealer: Sealer,
): Promise<Uint8Array> {
  checkUsable(key)
  const { keyId, materialVersion: version } = readHead(blob)
  const material = await findMaterial(db, { keyId, version }, sealer)
  if (!material || keyId !== key.id) throw invalidCiphertext()
  try {
    return decryptBlob(blob, material, context)
  } finally {
    material.bytes.fill(0)
  }
}

/** The key that encrypted a blob. One of another account is as good as none, unless that shares it. */
export async function keyOfBlob(
  db: Database,
  { accountId, region }: Place,
  blob: Uint8Array,
  isShared: (key: Key) => boolean = () => false,
): Promise<Key> {
  const key = await findKeyIn(db, { region, id: readHead(blob).keyId })
  if (key && (key.accountId === accountId || isShared(key))) return key
  throw new ApiError(
    'AccessDeniedException',
    'The ciphertext refers to a customer master key that does not exist, does not exist in this ' +
      'region, or you are not allowed to access.',
  )
}

export const keyNotFound = (key: Place & Pick<Key, 'id'>): ApiError =>
  new ApiError('NotFoundException', `Key '${keyArn(key)}' does not exist`)

const notAllowed = (keyId: string): ApiError =>
  new ApiError(
    'AccessDeniedException',
    `The key ${keyId.slice(0, 200)} belongs to another account, which has not shared it.`,
  )
