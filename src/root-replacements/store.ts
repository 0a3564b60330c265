/** The `replace_root_volume_tasks` table. Nothing else reads or writes it. */
import type { Selectable } from 'kysely'
import { toDate, toFlag } from '../db/columns.ts'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { Id } from '../lib/ids.ts'
import type { Owner } from '../lib/owner.ts'
import type { Replacement, ReplacementId, ReplacementState } from './replacement.ts'

const underWay = ['pending', 'in-progress', 'failing'] as const

export async function insertReplacement(tx: Tx, task: Replacement): Promise<void> {
  const row = {
    id: task.id,
    account_id: task.accountId,
    region: task.region,
    instance_id: task.instanceId,
    state: task.state,
    message: task.message ?? null,
    image_id: task.imageId ?? null,
    snapshot_id: task.snapshotId ?? null,
    old_volume_id: task.oldVolumeId,
    new_volume_id: task.newVolumeId,
    is_volume_given: toFlag(task.isVolumeGiven),
    deletes_replaced: toFlag(task.deletesReplaced),
    is_swapped: toFlag(task.isSwapped),
    started_at_ms: task.startedAt.getTime(),
    begun_at_ms: task.begunAt?.getTime() ?? null,
    ended_at_ms: task.endedAt?.getTime() ?? null,
  }
  await tx.insertInto('replace_root_volume_tasks').values(row).execute()
}

/** The tasks of an account in a Region, by id. */
export async function listReplacements(
  db: Database,
  owner: Owner,
): Promise<readonly Replacement[]> {
  const rows = await db
    .selectFrom('replace_root_volume_tasks')
    .selectAll()
    .where('account_id', '=', owner.accountId)
    .where('region', '=', owner.region)
    .orderBy('id')
    .execute()
  return rows.map(fromRow)
}

export async function listReplacementsOf(
  db: Database,
  instanceId: Id<'instance'>,
): Promise<readonly Replacement[]> {
  const rows = await db
    .selectFrom('replace_root_volume_tasks')
    .selectAll()
    .where('instance_id', '=', instanceId)
    .orderBy('id')
    .execute()
  return rows.map(fromRow)
}

/** The tasks that are owed; an instance has one at most. */
export async function listReplacementsUnderWay(
  db: Database,
  query: { readonly instanceId?: Id<'instance'> } = {},
): Promise<readonly Replacement[]> {
  let select = db
    .selectFrom('replace_root_volume_tasks')
    .selectAll()
    .where('state', 'in', underWay)
    .orderBy('id')
  if (query.instanceId) select = select.where('instance_id', '=', query.instanceId)
  return (await select.execute()).map(fromRow)
}

/** Changes a task where it is in the state expected. Tells whether it was. */
export async function changeReplacement(
  tx: Tx,
  { id, state }: Pick<Replacement, 'id' | 'state'>,
  to: {
    readonly state?: ReplacementState
    readonly isSwapped?: true
    readonly begunAt?: Date
    readonly endedAt?: Date
    readonly message?: string
  },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('replace_root_volume_tasks')
    .set({
      state: to.state ?? state,
      ...(to.isSwapped && { is_swapped: 1 }),
      ...(to.begunAt && { begun_at_ms: to.begunAt.getTime() }),
      ...(to.endedAt && { ended_at_ms: to.endedAt.getTime() }),
      ...(to.message !== undefined && { message: to.message }),
    })
    .where('id', '=', id)
    .where('state', '=', state)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

function fromRow(row: Selectable<Tables['replace_root_volume_tasks']>): Replacement {
  return {
    id: row.id satisfies ReplacementId,
    accountId: row.account_id,
    region: row.region,
    instanceId: row.instance_id,
    state: row.state,
    message: row.message ?? undefined,
    imageId: row.image_id ?? undefined,
    snapshotId: row.snapshot_id ?? undefined,
    oldVolumeId: row.old_volume_id,
    newVolumeId: row.new_volume_id,
    isVolumeGiven: row.is_volume_given === 1,
    deletesReplaced: row.deletes_replaced === 1,
    isSwapped: row.is_swapped === 1,
    startedAt: new Date(row.started_at_ms),
    begunAt: toDate(row.begun_at_ms),
    endedAt: toDate(row.ended_at_ms),
  }
}
