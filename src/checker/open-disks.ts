/** What encrypted disks can be opened with, so that what is in them is looked at too. */
import type { BlockCipher } from '../block-store/block-cipher.ts'
import type { Database } from '../db/database.ts'
import { openDiskKey } from '../kms/disk-keys.ts'
import { KeyUnusable } from '../kms/key-trouble.ts'
import type { Digest } from '../lib/digest.ts'
import { SealBroken, type Sealer } from '../lib/seal.ts'
import { listSnapshotDisks } from '../snapshots/key-store.ts'
import { cipherUnder } from '../volumes/disk-keys.ts'
import { listVolumeDisks } from '../volumes/key-store.ts'

/** By manifest. Those whose keys are disabled, or gone, are left out. */
export async function openDisks(
  db: Database,
  masterKey: Sealer | undefined,
): Promise<ReadonlyMap<Digest, BlockCipher>> {
  const ciphers = new Map<Digest, BlockCipher>()
  if (!masterKey) return ciphers
  const byKey = new Map<string, BlockCipher | undefined>()
  for (const { manifest, kmsKeyArn } of [
    ...(await listSnapshotDisks(db)),
    ...(await listVolumeDisks(db)),
  ]) {
    if (!byKey.has(kmsKeyArn)) byKey.set(kmsKeyArn, await tryToOpen(db, kmsKeyArn, masterKey))
    const cipher = byKey.get(kmsKeyArn)
    if (cipher) ciphers.set(manifest, cipher)
  }
  return ciphers
}

async function tryToOpen(
  db: Database,
  arn: string,
  masterKey: Sealer,
): Promise<BlockCipher | undefined> {
  try {
    return await cipherUnder(arn, (one) => openDiskKey(db, one, masterKey))
  } catch (error) {
    // That a key does not open is told where keys are looked at.
    if (error instanceof KeyUnusable || error instanceof SealBroken) return undefined
    throw error
  }
}
