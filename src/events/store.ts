/** The `events` table. Nothing else reads or writes it. Invariant: the last row is never deleted, so no position comes twice. */
import type { Selectable } from 'kysely'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { Owner } from '../lib/owner.ts'
import type { Event } from './event.ts'

export async function insertEvents(tx: Tx, events: readonly Event[]): Promise<void> {
  if (events.length === 0) return
  const rows = events.map((event) => ({
    position: event.position,
    id: event.id,
    account_id: event.accountId,
    region: event.region,
    resource_id: event.resourceId,
    at_ms: event.at.getTime(),
    body: event.body,
  }))
  await tx.insertInto('events').values(rows).execute()
}

/** The position of the last event of all; 0 before the first. */
export async function findLastPosition(db: Database): Promise<number> {
  const row = await db
    .selectFrom('events')
    .select((of) => of.fn.max('position').as('position'))
    .executeTakeFirst()
  return Number(row?.position ?? 0)
}

/** What an account is told in a Region behind a position, in order. */
export async function listEvents(
  db: Database,
  query: Owner & {
    readonly after: number
    readonly limit: number
  },
): Promise<readonly Event[]> {
  const rows = await db
    .selectFrom('events')
    .selectAll()
    .where('account_id', '=', query.accountId)
    .where('region', '=', query.region)
    .where('position', '>', query.after)
    .orderBy('position')
    .limit(query.limit)
    .execute()
  return rows.map(fromRow)
}

export async function findEvent(db: Database, position: number): Promise<Event | undefined> {
  const row = await db
    .selectFrom('events')
    .selectAll()
    .where('position', '=', position)
    .executeTakeFirst()
  return row && fromRow(row)
}

export async function listEventAccounts(db: Database): Promise<readonly string[]> {
  const rows = await db.selectFrom('events').select('account_id').distinct().execute()
  return rows.map((row) => row.account_id)
}

/** The positions of an account's events that are older than a time, or too many; the first ones. */
export async function listForgettable(
  db: Database,
  {
    accountId,
    before,
    eventsMax,
    limit,
  }: {
    readonly accountId: string
    readonly before: Date
    readonly eventsMax: number
    readonly limit: number
  },
): Promise<readonly number[]> {
  const own = db.selectFrom('events').where('account_id', '=', accountId)
  const tooMany = await own
    .select('position')
    .orderBy('position', 'desc')
    .offset(eventsMax)
    .limit(1)
    .executeTakeFirst()
  const rows = await own
    .select('position')
    .where((where) =>
      where.or([
        where('at_ms', '<', before.getTime()),
        where('position', '<=', tooMany?.position ?? 0),
      ]),
    )
    .where('position', '<', await findLastPosition(db))
    // What somebody still has to get stays until they have it, or never will.
    .where('position', 'not in', (query) =>
      query
        .selectFrom('event_deliveries')
        .select('event_deliveries.position')
        .where('state', '=', 'waiting'),
    )
    .orderBy('position')
    .limit(limit)
    .execute()
  return rows.map(({ position }) => position)
}

export async function deleteEvents(tx: Tx, positions: readonly number[]): Promise<void> {
  if (positions.length === 0) return
  await tx.deleteFrom('event_deliveries').where('position', 'in', positions).execute()
  await tx.deleteFrom('events').where('position', 'in', positions).execute()
}

const fromRow = (row: Selectable<Tables['events']>): Event => ({
  position: row.position,
  id: row.id,
  accountId: row.account_id,
  region: row.region,
  resourceId: row.resource_id,
  at: new Date(row.at_ms),
  body: row.body,
})
