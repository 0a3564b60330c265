/**
 * Disk keys: each KMS key that encrypts disks has one, 32 random bytes from its first
 * disk on, kept sealed under it. Who has no usable KMS key has no disk key, and no byte
 * of what was encrypted with it.
 */
import type { Database, Tx } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import { keyBytes, type RandomBytes, SealBroken, type Sealer } from '../lib/seal.ts'
import { decryptBlob, readHead } from './blob.ts'
import { findDiskKey, insertDiskKey } from './disk-key-store.ts'
import { type Key, keyArn } from './key.ts'
import { parseKeyArn } from './key-reference.ts'
import { KeyUnusable } from './key-trouble.ts'
import { decryptUnder, encryptUnder } from './keys.ts'
import { findKey, findMaterial } from './store.ts'

/** Makes the disk key of a KMS key where it has none yet. The key has to be enabled. */
export async function ensureDiskKey(
  tx: Tx,
  key: Key,
  { sealer, randomBytes }: { readonly sealer: Sealer; readonly randomBytes: RandomBytes },
): Promise<string> {
  const arn = keyArn(key)
  if (await findDiskKey(tx, arn)) return arn
  const bytes = randomBytes(keyBytes)
  const sealed = await encryptUnder(tx, key, bytes, contextOf(arn), { sealer, randomBytes })
  bytes.fill(0)
  await insertDiskKey(tx, arn, sealed)
  return arn
}

/** The disk key of a KMS key, by the key's ARN. Throws `KeyUnusable` where that is not to be used. */
export async function openDiskKey(db: Database, arn: string, sealer: Sealer): Promise<Uint8Array> {
  const key = await usableKey(db, arn)
  const sealed = await findDiskKey(db, arn)
  if (!sealed) throw new KeyUnusable(arn, 'has never encrypted a disk.')
  try {
    return await decryptUnder(db, key, sealed, contextOf(arn), sealer)
  } catch (error) {
    // It went between the two looks at it.
    if (error instanceof ApiError) throw new KeyUnusable(arn, 'cannot be used.')
    throw error
  }
}

/** Tells whether a disk key is whole, whatever may be done with its KMS key now. */
export async function opensDiskKey(db: Database, arn: string, sealer: Sealer): Promise<boolean> {
  const [reference, sealed] = [parseKeyArn(arn), await findDiskKey(db, arn)]
  if (!reference || !sealed) return false
  try {
    const { keyId, materialVersion: version } = readHead(sealed)
    const material = await findMaterial(db, { keyId, version }, sealer)
    if (!material || keyId !== reference.id) return false
    return decryptBlob(sealed, material, contextOf(arn)).length === keyBytes
  } catch (error) {
    if (error instanceof ApiError || error instanceof SealBroken) return false
    throw error
  }
}

/** Throws `KeyUnusable` where a KMS key is not to be used now. */
export async function usableKey(db: Database, arn: string): Promise<Key> {
  const reference = parseKeyArn(arn)
  const key = reference && (await findKey(db, reference))
  if (!key) throw new KeyUnusable(arn, 'does not exist.')
  if (key.state === 'enabled') return key
  throw new KeyUnusable(arn, key.state === 'disabled' ? 'is disabled.' : 'is pending deletion.')
}

const contextOf = (arn: string) => ({ 'imago:disk-key': arn })
