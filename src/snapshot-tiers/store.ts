/** The `snapshot_tiers` table: what was asked last of the tier of each snapshot. */
import type { Selectable } from 'kysely'
import { toDate } from '../db/columns.ts'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import { inChunks } from '../lib/chunks.ts'
import type { Id } from '../lib/ids.ts'
import type { Tiering } from './tiering.ts'

export async function putTiering(tx: Tx, tiering: Tiering): Promise<void> {
  const row = {
    operation: tiering.operation,
    progress: tiering.progress,
    detail: tiering.detail,
    started_at_ms: tiering.startedAt.getTime(),
    archived_at_ms: tiering.archivedAt?.getTime() ?? null,
    restore_days: tiering.restoreDays ?? null,
  }
  await tx
    .insertInto('snapshot_tiers')
    .values({ snapshot_id: tiering.snapshotId, ...row })
    .onConflict((conflict) => conflict.column('snapshot_id').doUpdateSet(row))
    .execute()
}

export async function findTiering(db: Database, id: Id<'snapshot'>): Promise<Tiering | undefined> {
  return (await listTierings(db, [id])).get(id)
}

/** By snapshot; one of which nothing was ever asked has none. */
export async function listTierings(
  db: Database,
  ids: readonly Id<'snapshot'>[],
): Promise<ReadonlyMap<Id<'snapshot'>, Tiering>> {
  const found = new Map<Id<'snapshot'>, Tiering>()
  for (const some of inChunks(ids)) {
    const rows = await db
      .selectFrom('snapshot_tiers')
      .selectAll()
      .where('snapshot_id', 'in', some)
      .execute()
    for (const row of rows) found.set(row.snapshot_id, fromRow(row))
  }
  return found
}

/** The snapshots that are on their way from tier to tier. */
export async function listTieringIds(db: Database): Promise<readonly Id<'snapshot'>[]> {
  const rows = await db
    .selectFrom('snapshot_tiers')
    .select('snapshot_id')
    .where('progress', '=', 'in-progress')
    .execute()
  return rows.map((row) => row.snapshot_id)
}

function fromRow(row: Selectable<Tables['snapshot_tiers']>): Tiering {
  return {
    snapshotId: row.snapshot_id,
    operation: row.operation,
    progress: row.progress,
    detail: row.detail,
    startedAt: new Date(row.started_at_ms),
    archivedAt: toDate(row.archived_at_ms),
    restoreDays: row.restore_days ?? undefined,
  }
}
