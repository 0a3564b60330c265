/** The `fast_restores` table. Nothing else reads or writes it. */
import type { Selectable } from 'kysely'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { Id } from '../lib/ids.ts'
import type { Owner } from '../lib/owner.ts'
import type {
  FastRestore,
  FastRestoreKey,
  FastRestoreState,
  FastRestoreTimes,
} from './fast-restore.ts'

export async function findFastRestore(
  db: Database,
  { snapshotId, zone, accountId }: FastRestoreKey,
): Promise<FastRestore | undefined> {
  const row = await db
    .selectFrom('fast_restores')
    .selectAll()
    .where('snapshot_id', '=', snapshotId)
    .where('zone', '=', zone)
    .where('account_id', '=', accountId)
    .executeTakeFirst()
  return row && fromRow(row)
}

/** Records what was not there yet; nothing where it was. */
export async function insertFastRestore(tx: Tx, restore: FastRestore): Promise<void> {
  await tx
    .insertInto('fast_restores')
    .values({
      snapshot_id: restore.snapshotId,
      zone: restore.zone,
      account_id: restore.accountId,
      region: restore.region,
      state: restore.state,
      times: timesToText(restore.times),
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Goes on from the state that was seen. Tells whether it still was that. */
export async function changeFastRestore(
  tx: Tx,
  restore: FastRestore,
  to: Pick<FastRestore, 'state' | 'times' | 'reason'>,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('fast_restores')
    .set({ state: to.state, times: timesToText(to.times), reason: to.reason ?? null })
    .where('snapshot_id', '=', restore.snapshotId)
    .where('zone', '=', restore.zone)
    .where('account_id', '=', restore.accountId)
    .where('state', '=', restore.state)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Forgets those of a snapshot that cannot be used any more. */
export async function deleteFastRestores(tx: Tx, snapshotId: Id<'snapshot'>): Promise<void> {
  await tx.deleteFrom('fast_restores').where('snapshot_id', '=', snapshotId).execute()
}

/** Those that others than its owner have of a snapshot. */
export async function listFastRestoresOfOthers(
  db: Database,
  { id, accountId }: { readonly id: Id<'snapshot'>; readonly accountId: string },
): Promise<readonly FastRestore[]> {
  const rows = await db
    .selectFrom('fast_restores')
    .selectAll()
    .where('snapshot_id', '=', id)
    .where('account_id', '!=', accountId)
    .execute()
  return rows.map(fromRow)
}

/** Those that an account has in a Region, by snapshot and zone. */
export async function listFastRestores(
  db: Database,
  { accountId, region }: Owner,
): Promise<readonly FastRestore[]> {
  const rows = await db
    .selectFrom('fast_restores')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('region', '=', region)
    .orderBy('snapshot_id')
    .orderBy('zone')
    .execute()
  return rows.map(fromRow)
}

/** Those in some states, whoever has them. */
export async function listFastRestoresInState(
  db: Database,
  states: readonly FastRestoreState[],
): Promise<readonly FastRestore[]> {
  const rows = await db
    .selectFrom('fast_restores')
    .selectAll()
    .where('state', 'in', states)
    .orderBy('snapshot_id')
    .execute()
  return rows.map(fromRow)
}

const timesToText = (times: FastRestoreTimes): string => JSON.stringify(times)

function fromRow(row: Selectable<Tables['fast_restores']>): FastRestore {
  const times = Object.entries(JSON.parse(row.times) as Record<string, string>)
  return {
    snapshotId: row.snapshot_id,
    zone: row.zone,
    accountId: row.account_id,
    region: row.region,
    state: row.state,
    times: Object.fromEntries(times.map(([state, at]) => [state, new Date(at)])),
    ...(row.reason !== null && { reason: row.reason }),
  }
}
