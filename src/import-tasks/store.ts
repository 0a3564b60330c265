/** The `import_tasks` table. Nothing else reads or writes it. Each change of state is a compare-and-set. */
import type { Selectable } from 'kysely'
import { toDate } from '../db/columns.ts'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { Id } from '../lib/ids.ts'
import type { Owner } from '../lib/owner.ts'
import type { Container } from './container.ts'
import {
  type ImageRequest,
  type ImportTask,
  type ImportTaskId,
  listedForMs,
  type TaskDisk,
  type TaskState,
} from './import-task.ts'

const underWay = ['active', 'deleting'] as const

export async function insertTask(tx: Tx, task: ImportTask): Promise<void> {
  await tx
    .insertInto('import_tasks')
    .values({
      id: task.id,
      account_id: task.accountId,
      region: task.region,
      description: task.description ?? null,
      containers: JSON.stringify(task.containers),
      image: task.image ? JSON.stringify(task.image) : null,
      kms_key_id: task.kmsKeyArn ?? null,
      state: task.state,
      message: task.message,
      progress_percent: task.progressPercent,
      disks: JSON.stringify(task.disks),
      image_id: task.imageId ?? null,
      created_at_ms: task.createdAt.getTime(),
      ended_at_ms: task.endedAt?.getTime() ?? null,
    })
    .execute()
}

export async function findTask(db: Database, id: ImportTaskId): Promise<ImportTask | undefined> {
  const row = await db
    .selectFrom('import_tasks')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst()
  return row && fromRow(row)
}

/** The tasks of an account in a Region, by id. */
export async function listTasks(db: Database, owner: Owner): Promise<readonly ImportTask[]> {
  const rows = await db
    .selectFrom('import_tasks')
    .selectAll()
    .where('account_id', '=', owner.accountId)
    .where('region', '=', owner.region)
    .orderBy('id')
    .execute()
  return rows.map(fromRow)
}

/** The tasks that something is owed to, the oldest first. */
export async function listTasksUnderWay(db: Database): Promise<readonly ImportTask[]> {
  const rows = await db
    .selectFrom('import_tasks')
    .selectAll()
    .where('state', 'in', underWay)
    .orderBy('created_at_ms')
    .orderBy('id')
    .execute()
  return rows.map(fromRow)
}

/** The tasks that have been listed for long enough after their end. */
export async function listForgettableIds(
  db: Database,
  now: Date,
): Promise<readonly ImportTaskId[]> {
  const rows = await db
    .selectFrom('import_tasks')
    .select('id')
    .where('ended_at_ms', '<=', now.getTime() - listedForMs)
    .execute()
  return rows.map(({ id }) => id)
}

/** Says how far a task is. Tells whether it is still wanted. */
export async function setTaskProgress(
  db: Database,
  id: ImportTaskId,
  progress: {
    readonly message: string
    readonly percent: number
    readonly disks: ImportTask['disks']
  },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('import_tasks')
    .set({
      message: progress.message,
      progress_percent: progress.percent,
      disks: JSON.stringify(progress.disks),
    })
    .where('id', '=', id)
    .where('state', '=', 'active')
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Changes the state where it is the one expected. Tells whether it was. */
export async function changeTask(
  tx: Tx,
  id: ImportTaskId,
  change: {
    readonly from: TaskState
    readonly to: TaskState
    readonly message?: string
    readonly endedAt?: Date
  },
): Promise<boolean> {
  const { message, endedAt } = change
  const { numUpdatedRows } = await tx
    .updateTable('import_tasks')
    .set({
      state: change.to,
      ...(message !== undefined && { message }),
      ...(endedAt && { ended_at_ms: endedAt.getTime() }),
    })
    .where('id', '=', id)
    .where('state', '=', change.from)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** What has come of a task that has just been completed. */
export async function setTaskResult(
  tx: Tx,
  id: ImportTaskId,
  made: { readonly disks: ImportTask['disks']; readonly imageId: Id<'image'> | undefined },
): Promise<void> {
  await tx
    .updateTable('import_tasks')
    .set({
      progress_percent: 100,
      disks: JSON.stringify(made.disks),
      image_id: made.imageId ?? null,
    })
    .where('id', '=', id)
    .execute()
}

export async function deleteTask(tx: Tx, id: ImportTaskId): Promise<void> {
  await tx.deleteFrom('import_tasks').where('id', '=', id).execute()
}

function fromRow(row: Selectable<Tables['import_tasks']>): ImportTask {
  return {
    id: row.id,
    accountId: row.account_id,
    region: row.region,
    description: row.description ?? undefined,
    containers: JSON.parse(row.containers) as readonly Container[],
    image: row.image === null ? undefined : (JSON.parse(row.image) as ImageRequest),
    ...(row.kms_key_id !== null && { kmsKeyArn: row.kms_key_id }),
    state: row.state,
    message: row.message,
    progressPercent: row.progress_percent,
    disks: JSON.parse(row.disks) as readonly TaskDisk[],
    imageId: row.image_id ?? undefined,
    createdAt: new Date(row.created_at_ms),
    endedAt: toDate(row.ended_at_ms),
  }
}
