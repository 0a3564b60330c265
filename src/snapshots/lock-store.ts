/** The `snapshot_locks` table: what keeps snapshots from being deleted. A row that has one cannot go. */
import assert from 'node:assert/strict'
import type { Selectable } from 'kysely'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import { inChunks } from '../lib/chunks.ts'
import type { Id } from '../lib/ids.ts'
import type { SnapshotLock } from './lock.ts'

/** Locks a snapshot, or changes its lock. */
export async function putLock(tx: Tx, lock: SnapshotLock): Promise<void> {
  const { holds } = lock
  const changed = {
    mode: lock.mode,
    cool_off_hours: lock.coolOffHours ?? null,
    created_at_ms: lock.createdAt.getTime(),
    changed_at_ms: lock.changedAt.getTime(),
    duration_days: 'days' in holds ? holds.days : null,
    until_ms: 'until' in holds ? holds.until.getTime() : null,
  }
  await tx
    .insertInto('snapshot_locks')
    .values({ snapshot_id: lock.snapshotId, ...changed })
    .onConflict((conflict) => conflict.column('snapshot_id').doUpdateSet(changed))
    .execute()
}

export async function deleteLock(tx: Tx, id: Id<'snapshot'>): Promise<void> {
  await tx.deleteFrom('snapshot_locks').where('snapshot_id', '=', id).execute()
}

export async function findLock(
  db: Database,
  id: Id<'snapshot'>,
): Promise<SnapshotLock | undefined> {
  const [lock] = await listLocks(db, [id])
  return lock
}

/** The locks of these snapshots, by id. */
export async function listLocks(
  db: Database,
  ids: readonly Id<'snapshot'>[],
): Promise<readonly SnapshotLock[]> {
  const locks: SnapshotLock[] = []
  for (const some of inChunks(ids)) {
    const rows = await db
      .selectFrom('snapshot_locks')
      .selectAll()
      .where('snapshot_id', 'in', some)
      .orderBy('snapshot_id')
      .execute()
    locks.push(...rows.map(fromRow))
  }
  return locks
}

function fromRow(row: Selectable<Tables['snapshot_locks']>): SnapshotLock {
  const { duration_days: days, until_ms: untilMs } = row
  assert(days !== null || untilMs !== null, `${row.snapshot_id}: its lock has no end`)
  return {
    snapshotId: row.snapshot_id,
    mode: row.mode,
    coolOffHours: row.cool_off_hours ?? undefined,
    createdAt: new Date(row.created_at_ms),
    changedAt: new Date(row.changed_at_ms),
    holds: days === null ? { until: new Date(untilMs ?? 0) } : { days },
  }
}
