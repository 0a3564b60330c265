/**
 * Keys of disks: each row that is encrypted has a disk key as long as its KMS key is there,
 * and each disk key opens under the master key. What was encrypted under a key that is gone
 * is lost as its owner wanted it.
 */
import type { Database } from '../db/database.ts'
import { listDiskKeyArns } from '../kms/disk-key-store.ts'
import { opensDiskKey } from '../kms/disk-keys.ts'
import { parseKeyArn } from '../kms/key-reference.ts'
import { findKey } from '../kms/store.ts'
import type { Sealer } from '../lib/seal.ts'
import { listSnapshotKeys } from '../snapshots/key-store.ts'
import { listVolumeKeys } from '../volumes/key-store.ts'
import type { Finding } from './finding.ts'

/** Without the master key, nothing is said of what is sealed under it. */
export async function* checkKeys(db: Database, masterKey?: Sealer): AsyncGenerator<Finding> {
  const arns = new Set(await listDiskKeyArns(db))
  for (const { id, kmsKeyArn } of [
    ...(await listVolumeKeys(db)),
    ...(await listSnapshotKeys(db)),
  ]) {
    if (!arns.has(kmsKeyArn) && (await isThere(db, kmsKeyArn))) {
      yield { about: id, what: `is encrypted with ${kmsKeyArn}, which has no disk key` }
    }
  }
  for (const arn of arns) {
    if (!(await isThere(db, arn))) yield { about: arn, what: 'has a disk key, and does not exist' }
    else if (masterKey && !(await opensDiskKey(db, arn, masterKey))) {
      yield { about: arn, what: 'has a disk key that does not open' }
    }
  }
}

async function isThere(db: Database, arn: string): Promise<boolean> {
  const reference = parseKeyArn(arn)
  return reference !== undefined && (await findKey(db, reference)) !== undefined
}
