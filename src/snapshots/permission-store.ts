/** The `snapshot_permissions` table: who else may make volumes of a snapshot. */
import type { Database, Tx } from '../db/database.ts'
import type { Id } from '../lib/ids.ts'
import type { SnapshotPermission } from './permission.ts'

export async function listSnapshotPermissions(
  db: Database,
  snapshotId: Id<'snapshot'>,
): Promise<readonly SnapshotPermission[]> {
  const rows = await db
    .selectFrom('snapshot_permissions')
    .select('grantee')
    .where('snapshot_id', '=', snapshotId)
    .orderBy('grantee')
    .execute()
  return rows.map(({ grantee }) => grantee)
}

export async function addSnapshotPermissions(
  tx: Tx,
  snapshotId: Id<'snapshot'>,
  permissions: readonly SnapshotPermission[],
): Promise<void> {
  if (permissions.length === 0) return
  await tx
    .insertInto('snapshot_permissions')
    .values(permissions.map((grantee) => ({ snapshot_id: snapshotId, grantee })))
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Takes some permissions back, or all of them where none are named. */
export async function removeSnapshotPermissions(
  tx: Tx,
  snapshotId: Id<'snapshot'>,
  permissions?: readonly SnapshotPermission[],
): Promise<void> {
  const all = tx.deleteFrom('snapshot_permissions').where('snapshot_id', '=', snapshotId)
  if (permissions?.length === 0) return
  await (permissions ? all.where('grantee', 'in', permissions) : all).execute()
}
