/** Which keys the `snapshots` table names. */
import type { Database } from '../db/database.ts'
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
