/** Which keys the `snapshots` table names. */
import type { Database } from '../db/database.ts'
import { type Digest, parseDigest } from '../lib/digest.ts'
import type { Id } from '../lib/ids.ts'

/** The encrypted snapshots that have content, or are to have it, with their keys' ARNs. */
export async function listSnapshotKeys(
  db: Database,
): Promise<readonly { readonly id: Id<'snapshot'>; readonly kmsKeyArn: string }[]> {
  const rows = await db
    .selectFrom('snapshots')
    .select(['id', 'kms_key_id'])
    .where('kms_key_id', 'is not', null)
    .where('state', '<>', 'error')
    .orderBy('id')
    .execute()
  return rows.flatMap(({ id, kms_key_id: kmsKeyArn }) =>
    kmsKeyArn === null ? [] : [{ id, kmsKeyArn }],
  )
}

/** The encrypted disks of completed snapshots, with their keys' ARNs. */
export async function listSnapshotDisks(
  db: Database,
): Promise<readonly { readonly manifest: Digest; readonly kmsKeyArn: string }[]> {
  const rows = await db
    .selectFrom('snapshots')
    .select(['manifest', 'kms_key_id'])
    .distinct()
    .where('kms_key_id', 'is not', null)
    .where('manifest', 'is not', null)
    .execute()
  return rows.flatMap(({ manifest, kms_key_id: kmsKeyArn }) =>
    manifest === null || kmsKeyArn === null ? [] : [{ manifest: parseDigest(manifest), kmsKeyArn }],
  )
}
