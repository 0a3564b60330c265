/** The `volume_modifications` table. Nothing else reads or writes it; its rows go with their volume. */
import assert from 'node:assert/strict'
import type { Selectable } from 'kysely'
import { toDate } from '../db/columns.ts'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { Id } from '../lib/ids.ts'
import type { Owner } from '../lib/owner.ts'
import { isVolumeType } from '../volumes/volume-type.ts'
import type { Modification, ModificationState } from './modification.ts'

export async function insertModification(tx: Tx, modification: Modification): Promise<void> {
  const { original, target } = modification
  const row = {
    volume_id: modification.volumeId,
    number: modification.number,
    account_id: modification.accountId,
    region: modification.region,
    state: modification.state,
    message: modification.message ?? null,
    original_size_gib: original.sizeGiB,
    original_type: original.type,
    original_iops: original.iops ?? null,
    original_throughput: original.throughput ?? null,
    target_size_gib: target.sizeGiB,
    target_type: target.type,
    target_iops: target.iops ?? null,
    target_throughput: target.throughput ?? null,
    started_at_ms: modification.startedAt.getTime(),
    ended_at_ms: modification.endedAt?.getTime() ?? null,
  }
  await tx.insertInto('volume_modifications').values(row).execute()
}

/** The changes of a volume, the oldest first. */
export async function listModificationsOf(
  db: Database,
  volumeId: Id<'volume'>,
): Promise<readonly Modification[]> {
  const rows = await db
    .selectFrom('volume_modifications')
    .selectAll()
    .where('volume_id', '=', volumeId)
    .orderBy('number')
    .execute()
  return rows.map(fromRow)
}

/** The last change of each volume that an account has in a Region, by volume. */
export async function listLastModifications(
  db: Database,
  { accountId, region }: Owner,
): Promise<readonly Modification[]> {
  const rows = await db
    .selectFrom('volume_modifications')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('region', '=', region)
    .orderBy('volume_id')
    .orderBy('number')
    .execute()
  return [...new Map(rows.map((row) => [row.volume_id, fromRow(row)])).values()]
}

export async function listModificationsIn(
  db: Database,
  states: readonly ModificationState[],
): Promise<readonly Modification[]> {
  const rows = await db
    .selectFrom('volume_modifications')
    .selectAll()
    .where('state', 'in', states)
    .orderBy('volume_id')
    .execute()
  return rows.map(fromRow)
}

/** Changes the state where it is the one expected. Tells whether it was. */
export async function changeModificationState(
  tx: Tx,
  change: Pick<Modification, 'volumeId' | 'number'> & {
    readonly from: ModificationState
    readonly to: ModificationState
    readonly endedAt?: Date
    readonly message?: string
  },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('volume_modifications')
    .set({
      state: change.to,
      ended_at_ms: change.endedAt?.getTime() ?? null,
      message: change.message ?? null,
    })
    .where('volume_id', '=', change.volumeId)
    .where('number', '=', change.number)
    .where('state', '=', change.from)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

function fromRow(row: Selectable<Tables['volume_modifications']>): Modification {
  assert(isVolumeType(row.original_type) && isVolumeType(row.target_type))
  return {
    volumeId: row.volume_id,
    number: row.number,
    accountId: row.account_id,
    region: row.region,
    state: row.state,
    message: row.message ?? undefined,
    original: {
      sizeGiB: row.original_size_gib,
      type: row.original_type,
      iops: row.original_iops ?? undefined,
      throughput: row.original_throughput ?? undefined,
    },
    target: {
      sizeGiB: row.target_size_gib,
      type: row.target_type,
      iops: row.target_iops ?? undefined,
      throughput: row.target_throughput ?? undefined,
    },
    startedAt: new Date(row.started_at_ms),
    endedAt: toDate(row.ended_at_ms),
  }
}
