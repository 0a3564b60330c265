/** The `launches` table: a row for each machine that was ever started, until it is long gone. */
import type { Selectable } from 'kysely'
import { toDate } from '../db/columns.ts'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { Id } from '../lib/ids.ts'
import type { Launch } from './launch.ts'

export async function insertLaunch(tx: Tx, launch: Launch): Promise<void> {
  await tx
    .insertInto('launches')
    .values({
      instance_id: launch.instanceId,
      account_id: launch.accountId,
      region: launch.region,
      image_id: launch.imageId,
      image_name: launch.imageName ?? null,
      image_owner_id: launch.imageOwnerId ?? null,
      instance_type: launch.instanceType,
      launched_by: launch.launchedBy ?? null,
      launched_at_ms: launch.launchedAt.getTime(),
      ended_at_ms: launch.endedAt?.getTime() ?? null,
    })
    .execute()
}

/** Says that the machine is there no more. */
export async function endLaunch(tx: Tx, id: Id<'instance'>, at: Date): Promise<void> {
  await tx
    .updateTable('launches')
    .set({ ended_at_ms: at.getTime() })
    .where('instance_id', '=', id)
    .execute()
}

export async function findLaunch(db: Database, id: Id<'instance'>): Promise<Launch | undefined> {
  const row = await db
    .selectFrom('launches')
    .selectAll()
    .where('instance_id', '=', id)
    .executeTakeFirst()
  return row && fromRow(row)
}

/** What was started from an image or got a root of it later, by the ids of the machines; of one account or of all. */
export async function listLaunchesOf(
  db: Database,
  query: {
    readonly imageId: Id<'image'>
    readonly accountId: string | undefined
    readonly after: string | undefined
    readonly limit: number
  },
): Promise<readonly Launch[]> {
  const { imageId, accountId, after, limit } = query
  const rows = await db
    .selectFrom('launches')
    .selectAll()
    .where('instance_id', 'in', machinesOf(db, imageId))
    .$if(accountId !== undefined, (select) => select.where('account_id', '=', accountId ?? ''))
    .$if(after !== undefined, (select) =>
      select.where('instance_id', '>', (after ?? '') as Id<'instance'>),
    )
    .orderBy('instance_id')
    .limit(limit)
    .execute()
  return rows.map(fromRow)
}

/** How many machines each account has started from an image, or given a root of it. */
export async function countLaunchesOf(
  db: Database,
  imageId: Id<'image'>,
): Promise<readonly { readonly accountId: string; readonly count: number }[]> {
  const rows = await db
    .selectFrom('launches')
    .select((of) => ['account_id', of.fn.countAll<number>().as('count')])
    .where('instance_id', 'in', machinesOf(db, imageId))
    .groupBy('account_id')
    .orderBy('account_id')
    .execute()
  return rows.map((row) => ({ accountId: row.account_id, count: Number(row.count) }))
}

const machinesOf = (db: Database, imageId: Id<'image'>) =>
  db
    .selectFrom('launches')
    .select('instance_id')
    .where('image_id', '=', imageId)
    .union(db.selectFrom('launch_roots').select('instance_id').where('image_id', '=', imageId))

/** Forgets machines that were gone before a time. Tells whether there may be more of them. */
export async function forgetLaunches(tx: Tx, before: Date, limit: number): Promise<boolean> {
  const old = tx
    .selectFrom('launches')
    .select('instance_id')
    .where('ended_at_ms', '<', before.getTime())
    .limit(limit)
  const { numDeletedRows } = await tx
    .deleteFrom('launches')
    .where('instance_id', 'in', old)
    .executeTakeFirst()
  return numDeletedRows === BigInt(limit)
}

const fromRow = (row: Selectable<Tables['launches']>): Launch => ({
  instanceId: row.instance_id,
  accountId: row.account_id,
  region: row.region,
  imageId: row.image_id,
  imageName: row.image_name ?? undefined,
  imageOwnerId: row.image_owner_id ?? undefined,
  instanceType: row.instance_type,
  launchedBy: row.launched_by ?? undefined,
  launchedAt: new Date(row.launched_at_ms),
  endedAt: toDate(row.ended_at_ms),
})
