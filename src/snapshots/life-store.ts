/** What befalls a snapshot after it was taken, in the `snapshots` table: each a compare-and-set that tells whether it took place. */
import type { Database, Tx } from '../db/database.ts'
import { inChunks } from '../lib/chunks.ts'
import type { Id } from '../lib/ids.ts'
import type { Owner } from '../lib/owner.ts'
import type { Snapshot } from './snapshot.ts'
import { findSnapshots } from './store.ts'

/** Holds the row until the call is over, so that nobody locks, deletes or archives it meanwhile. Tells whether it is there. */
export async function claimSnapshot(tx: Tx, id: Id<'snapshot'>): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('snapshots')
    .set({ id })
    .where('id', '=', id)
    .where('recycled_at_ms', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Holds the row, in the Recycle Bin or not. Tells whether it is there. */
export async function holdSnapshot(tx: Tx, id: Id<'snapshot'>): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('snapshots')
    .set({ id })
    .where('id', '=', id)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Says in which tier a snapshot is, and until when, where it is restored for some days. */
export async function setTier(
  tx: Tx,
  to: {
    readonly id: Id<'snapshot'>
    readonly tier: 'standard' | 'archive'
    readonly restoreExpiresAt: Date | undefined
  },
): Promise<void> {
  await tx
    .updateTable('snapshots')
    .set({ storage_tier: to.tier, restore_expires_at_ms: to.restoreExpiresAt?.getTime() ?? null })
    .where('id', '=', to.id)
    .execute()
}

/** The snapshots that were restored for some days, which are over. */
export async function listOverdueRestoreIds(
  db: Database,
  now: Date,
): Promise<readonly Id<'snapshot'>[]> {
  const rows = await db
    .selectFrom('snapshots')
    .select('id')
    .where('restore_expires_at_ms', '<=', now.getTime())
    .execute()
  return rows.map(({ id }) => id)
}

/** Moves a completed snapshot into the Recycle Bin. */
export async function recycleSnapshot(
  tx: Tx,
  id: Id<'snapshot'>,
  { at, exitAt }: { readonly at: Date; readonly exitAt: Date },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('snapshots')
    .set({ recycled_at_ms: at.getTime(), recycle_exit_at_ms: exitAt.getTime() })
    .where('id', '=', id)
    .where('state', '=', 'completed')
    .where('recycled_at_ms', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Takes a snapshot out of the Recycle Bin again. */
export async function restoreRecycledSnapshot(tx: Tx, id: Id<'snapshot'>): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('snapshots')
    .set({ recycled_at_ms: null, recycle_exit_at_ms: null })
    .where('id', '=', id)
    .where('recycled_at_ms', 'is not', null)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Holds the row of a snapshot whose time in the Recycle Bin is over. Tells whether it is. */
export async function claimExpiredSnapshot(
  tx: Tx,
  id: Id<'snapshot'>,
  now: Date,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('snapshots')
    .set({ id })
    .where('id', '=', id)
    .where('recycle_exit_at_ms', '<=', now.getTime())
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** What an account has in the Recycle Bin of a Region, by id. */
export async function listRecycledSnapshots(
  db: Database,
  query: Owner & {
    readonly ids?: readonly Id<'snapshot'>[] | undefined
  },
): Promise<readonly Snapshot[]> {
  const { accountId, region, ids } = query
  if (ids?.length === 0) return []
  let select = db
    .selectFrom('snapshots')
    .select('id')
    .where('account_id', '=', accountId)
    .where('region', '=', region)
    .where('recycled_at_ms', 'is not', null)
    .orderBy('id')
  if (ids) select = select.where('id', 'in', ids)
  const rows = await select.execute()
  const found: Snapshot[] = []
  for (const some of inChunks(rows.map(({ id }) => id))) {
    found.push(...(await findSnapshots(db, some)))
  }
  return found.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

/** The snapshots whose time in the Recycle Bin is over. */
export async function listExpiredSnapshotIds(
  db: Database,
  now: Date,
): Promise<readonly Id<'snapshot'>[]> {
  const rows = await db
    .selectFrom('snapshots')
    .select('id')
    .where('recycle_exit_at_ms', '<=', now.getTime())
    .execute()
  return rows.map(({ id }) => id)
}
