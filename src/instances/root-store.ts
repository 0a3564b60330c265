/** The `instance_roots` table: roots of instances that are no volumes. Nothing else reads or writes it. */
import type { Database, Tx } from '../db/database.ts'
import { type Digest, parseDigest } from '../lib/digest.ts'
import type { Id } from '../lib/ids.ts'
import type { InstanceRoot } from './instance-store.ts'

export async function insertRoot(tx: Tx, root: InstanceRoot): Promise<void> {
  const { instanceId, disk, sizeBytes } = root
  const row = { instance_id: instanceId, disk_manifest: disk, size_bytes: sizeBytes }
  await tx.insertInto('instance_roots').values(row).execute()
}

export async function findInstanceRoot(
  db: Database,
  instanceId: Id<'instance'>,
): Promise<InstanceRoot | undefined> {
  const row = await db
    .selectFrom('instance_roots')
    .selectAll()
    .where('instance_id', '=', instanceId)
    .executeTakeFirst()
  return row && { instanceId, disk: parseDigest(row.disk_manifest), sizeBytes: row.size_bytes }
}

/** All of them: whose files are there, and what they lie over. */
export async function listInstanceRoots(
  db: Database,
): Promise<ReadonlyMap<Id<'instance'>, Digest>> {
  const rows = await db
    .selectFrom('instance_roots')
    .select(['instance_id', 'disk_manifest'])
    .orderBy('instance_id')
    .execute()
  return new Map(rows.map((row) => [row.instance_id, parseDigest(row.disk_manifest)]))
}

/** Its file is gone by then. */
export async function deleteRoot(tx: Tx, instanceId: Id<'instance'>): Promise<void> {
  await tx.deleteFrom('instance_roots').where('instance_id', '=', instanceId).execute()
}
