/** The content of encrypted snapshots, for the calls that read or check it. */
import type { BlockCipher } from '../block-store/block-cipher.ts'
import type { Manifest } from '../block-store/manifest.ts'
import type { Database } from '../db/database.ts'
import { openDiskKey } from '../kms/disk-keys.ts'
import { KeyUnusable } from '../kms/key-trouble.ts'
import { ApiError } from '../lib/errors.ts'
import type { CompletedSnapshot, Snapshot } from '../snapshots/snapshot.ts'
import { cipherUnder } from '../volumes/disk-keys.ts'
import type { ReadCall } from '../wire/operation.ts'
import type { Readers } from '../wire/readers.ts'
import { keyTrouble } from './unknowns.ts'

/** What the snapshot is under, where it is encrypted. Refuses where its key is not to be used. */
export async function cipherOfSnapshot(
  db: Database,
  { masterKey }: Pick<Readers, 'masterKey'>,
  snapshot: Snapshot,
): Promise<BlockCipher | undefined> {
  const open = (arn: string) => openDiskKey(db, arn, masterKey)
  return await refusingKeys(() => cipherUnder(snapshot.kmsKeyArn, open))
}

/** The blocks of a snapshot. */
export async function readDisk(
  { db, readers }: Pick<ReadCall<unknown>, 'db' | 'readers'>,
  snapshot: CompletedSnapshot,
): Promise<Manifest> {
  const cipher = await cipherOfSnapshot(db, readers, snapshot)
  return await readers.blocks.readManifest(snapshot.manifest, cipher)
}

/** Does what needs a key, and refuses the call where that is not to be used. */
export async function refusingKeys<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof KeyUnusable)) throw error
    throw new ApiError(keyTrouble.code, error.message, { reason: keyTrouble.reason })
  }
}
