/** The content of encrypted snapshots, for the calls that read or check it. */
import type { BlockCipher } from '../block-store/block-cipher.ts'
import type { Manifest } from '../block-store/manifest.ts'
import type { Database } from '../db/database.ts'
import { openDiskKey } from '../kms/disk-keys.ts'
import { KeyUnusable } from '../kms/key-trouble.ts'
import { keyUsedBy } from '../kms/use.ts'
import { ApiError } from '../lib/errors.ts'
import type { CompletedSnapshot, Snapshot } from '../snapshots/snapshot.ts'
import { cipherUnder } from '../volumes/disk-keys.ts'
import type { ReadCall } from '../wire/operation.ts'
import { blockActions, keyTrouble } from './unknowns.ts'

type Call = Pick<ReadCall<unknown>, 'caller' | 'region' | 'readers'>

/**
 * What the snapshot is under, where it is encrypted. Refuses where its key is not to be used
 * now, or not by the caller: that it sees the snapshot is not enough.
 */
export async function cipherOfSnapshot(
  db: Database,
  call: Call,
  snapshot: Snapshot,
): Promise<BlockCipher | undefined> {
  const open = async (arn: string) => {
    await keyUsedBy(db, call, arn, blockActions)
    return await openDiskKey(db, arn, call.readers.masterKey)
  }
  return await refusingKeys(() => cipherUnder(snapshot.kmsKeyArn, open))
}

/** The blocks of a snapshot. */
export async function readDisk(
  call: Call & Pick<ReadCall<unknown>, 'db'>,
  snapshot: CompletedSnapshot,
): Promise<Manifest> {
  const cipher = await cipherOfSnapshot(call.db, call, snapshot)
  return await call.readers.blocks.readManifest(snapshot.manifest, cipher)
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
