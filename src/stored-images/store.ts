/** The `image_store_tasks` and `image_restores` tables. Nothing else reads or writes them. */
import type { Selectable } from 'kysely'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { Id } from '../lib/ids.ts'
import type { Restore, StoreTask } from './store-task.ts'

/** Tells whether it is the only one that stores the image in that bucket now. */
export async function insertStoreTask(tx: Tx, task: StoreTask): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('image_store_tasks')
    .values({
      id: task.id,
      account_id: task.accountId,
      region: task.region,
      image_id: task.imageId,
      bucket: task.bucket,
      object_key: task.key,
      state: task.state,
      failure_reason: task.failureReason ?? null,
      progress_percent: task.progressPercent,
      started_at_ms: task.startedAt.getTime(),
      size_gib: task.sizeGiB,
      description: task.description,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

export async function findStoreTask(db: Database, id: string): Promise<StoreTask | undefined> {
  const row = await db
    .selectFrom('image_store_tasks')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst()
  return row && fromRow(row)
}

/** What an account has begun in a Region since a time, in the order of ids. */
export async function listStoreTasks(
  db: Database,
  query: { readonly accountId: string; readonly region: string; readonly since: Date },
): Promise<readonly StoreTask[]> {
  const rows = await db
    .selectFrom('image_store_tasks')
    .selectAll()
    .where('account_id', '=', query.accountId)
    .where('region', '=', query.region)
    .where('started_at_ms', '>', query.since.getTime())
    .orderBy('id')
    .execute()
  return rows.map(fromRow)
}

/** The tasks that are not done, and those that are and were begun before a time. */
export async function listDueStoreTasks(db: Database, before: Date): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('image_store_tasks')
    .select('id')
    .where((where) =>
      where.or([where('state', '=', 'InProgress'), where('started_at_ms', '<=', before.getTime())]),
    )
    .orderBy('id')
    .execute()
  return rows.map(({ id }) => id)
}

/** How much an account has under way. */
export async function sumStoringGiB(db: Database, accountId: string): Promise<number> {
  const { sum } = await db
    .selectFrom('image_store_tasks')
    .select((select) => select.fn.sum<number | null>('size_gib').as('sum'))
    .where('account_id', '=', accountId)
    .where('state', '=', 'InProgress')
    .executeTakeFirstOrThrow()
  return Number(sum ?? 0)
}

export async function setStoreProgress(db: Database, id: string, percent: number): Promise<void> {
  await db
    .updateTable('image_store_tasks')
    .set({ progress_percent: percent })
    .where('id', '=', id)
    .where('state', '=', 'InProgress')
    .execute()
}

export async function completeStoreTask(db: Database, id: string): Promise<void> {
  await db
    .updateTable('image_store_tasks')
    .set({ state: 'Completed', progress_percent: 100 })
    .where('id', '=', id)
    .where('state', '=', 'InProgress')
    .execute()
}

export async function failStoreTask(db: Database, id: string, reason: string): Promise<void> {
  await db
    .updateTable('image_store_tasks')
    .set({ state: 'Failed', failure_reason: reason })
    .where('id', '=', id)
    .where('state', '=', 'InProgress')
    .execute()
}

/** Forgets a task that is done. */
export async function deleteStoreTask(db: Database, id: string): Promise<void> {
  await db
    .deleteFrom('image_store_tasks')
    .where('id', '=', id)
    .where('state', '!=', 'InProgress')
    .execute()
}

function fromRow(row: Selectable<Tables['image_store_tasks']>): StoreTask {
  return {
    id: row.id,
    accountId: row.account_id,
    region: row.region,
    imageId: row.image_id,
    bucket: row.bucket,
    key: row.object_key,
    state: row.state,
    failureReason: row.failure_reason ?? undefined,
    progressPercent: row.progress_percent,
    startedAt: new Date(row.started_at_ms),
    sizeGiB: row.size_gib,
    description: row.description,
  }
}

export async function insertRestore(tx: Tx, restore: Restore): Promise<void> {
  await tx
    .insertInto('image_restores')
    .values({
      image_id: restore.imageId,
      account_id: restore.accountId,
      region: restore.region,
      bucket: restore.bucket,
      object_key: restore.key,
      snapshot_ids: JSON.stringify(restore.snapshotIds),
      description_digest: restore.descriptionDigest,
      size_gib: restore.sizeGiB,
    })
    .execute()
}

export async function findRestore(
  db: Database,
  imageId: Id<'image'>,
): Promise<Restore | undefined> {
  const row = await db
    .selectFrom('image_restores')
    .selectAll()
    .where('image_id', '=', imageId)
    .executeTakeFirst()
  return (
    row && {
      imageId: row.image_id,
      accountId: row.account_id,
      region: row.region,
      bucket: row.bucket,
      key: row.object_key,
      snapshotIds: JSON.parse(row.snapshot_ids) as Id<'snapshot'>[],
      descriptionDigest: row.description_digest,
      sizeGiB: row.size_gib,
    }
  )
}

export async function listRestores(db: Database): Promise<readonly Id<'image'>[]> {
  const rows = await db
    .selectFrom('image_restores')
    .select('image_id')
    .orderBy('image_id')
    .execute()
  return rows.map((row) => row.image_id)
}

/** The snapshots that restores are to complete. */
export async function listRestoredSnapshots(db: Database): Promise<readonly Id<'snapshot'>[]> {
  const rows = await db.selectFrom('image_restores').select('snapshot_ids').execute()
  return rows.flatMap((row) => JSON.parse(row.snapshot_ids) as Id<'snapshot'>[])
}

/** How much an account has under way. */
export async function sumRestoringGiB(db: Database, accountId: string): Promise<number> {
  const { sum } = await db
    .selectFrom('image_restores')
    .select((select) => select.fn.sum<number | null>('size_gib').as('sum'))
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow()
  return Number(sum ?? 0)
}

/** Nothing is owed any more. */
export async function deleteRestore(tx: Tx, imageId: Id<'image'>): Promise<void> {
  await tx.deleteFrom('image_restores').where('image_id', '=', imageId).execute()
}
