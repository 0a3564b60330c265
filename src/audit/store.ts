/**
 * The `audit_events`, `audit_resources` and `audit_trails` tables: a trail for each
 * account, each event of it tied to the one before by a hash. Invariant: a trail's row
 * has the position and hash of its last event; who appends holds that row.
 */
import { type Insertable, sql } from 'kysely'
import { toFlag } from '../db/columns.ts'
import type { Database } from '../db/database.ts'
import { prepared } from '../db/prepared.ts'
import type { Tables } from '../db/schema.ts'
import {
  type AuditEvent,
  hashOf,
  type KeptEvent,
  type Listed,
  namesOf,
  nobody,
  recordOf,
  type Resource,
  sourceOf,
  timeOf,
  userNameOf,
} from './event.ts'

/** Numbers events in the order in which they are recorded, also across restarts. */
let lastSequence = 0

function nextSequence(at: Date): number {
  // A thousand events a millisecond leave room until 2^53 for centuries.
  lastSequence = Math.max(lastSequence + 1, at.getTime() * 1000)
  return lastSequence
}

/** An event, and whose trails it belongs to beside that of who called. */
export interface ToRecord {
  readonly event: AuditEvent
  readonly owners: readonly string[]
  readonly newId: () => string
}

export interface Trail {
  readonly accountId: string
  /** Of its last event. */
  readonly position: number
  readonly hash: string
  /** Of the last event that was let go because of its age. */
  readonly firstPosition: number
  readonly firstHash: string
}

/** Appends events to their trails. Those of one trail keep their order. */
export async function recordEvents(db: Database, all: readonly ToRecord[]): Promise<void> {
  const byAccount = new Map<string, ToRecord[]>()
  for (const each of all) {
    for (const account of new Set([each.event.principal?.accountId ?? nobody, ...each.owners])) {
      const trail = byAccount.get(account) ?? []
      trail.push(each)
      byAccount.set(account, trail)
    }
  }
  // In one order of accounts everywhere, so that no two wait for each other.
  for (const accountId of [...byAccount.keys()].sort()) {
    await append(db, accountId, byAccount.get(accountId) ?? [])
  }
}

async function append(db: Database, accountId: string, all: readonly ToRecord[]): Promise<void> {
  const head = await advance(db, accountId, all.length)
  let { hash } = head
  const events = []
  const resources = []
  for (const [index, { event, newId }] of all.entries()) {
    const eventId = newId()
    const position = head.position - all.length + index + 1
    const record = recordOf(event, { eventId, accountId })
    hash = hashOf(hash, { accountId, position, record })
    const sequence = nextSequence(event.at)
    const { principal } = event
    events.push({
      sequence,
      request_id: event.requestId,
      account_id: accountId || null,
      user_arn: principal?.arn ?? null,
      region: event.region ?? null,
      action: event.action,
      outcome: event.outcome,
      at_ms: event.at.getTime(),
      position,
      event_id: eventId,
      event_source: sourceOf(event.service),
      user_name: principal ? userNameOf(principal.arn) : null,
      access_key_id: principal?.accessKeyId ?? event.claimedKeyId ?? null,
      is_read_only: toFlag(event.isReadOnly),
      record,
      hash,
    })
    for (const { type, name } of event.resources) resources.push({ sequence, type, name })
  }
  const [event, ...more] = events
  if (event && more.length === 0) await insertEvent(db, event)
  else await db.insertInto('audit_events').values(events).execute()
  const [resource, ...others] = resources
  if (resource && others.length === 0) await insertResource(db, resource)
  else if (resource) await db.insertInto('audit_resources').values(resources).execute()
  await setHash(db, { hash, accountId })
}

const insertEvent = prepared((db, event: Insertable<Tables['audit_events']>) =>
  db.insertInto('audit_events').values({
    sequence: event.sequence,
    request_id: event.request_id,
    account_id: event.account_id,
    user_arn: event.user_arn,
    region: event.region,
    action: event.action,
    outcome: event.outcome,
    at_ms: event.at_ms,
    position: event.position,
    event_id: event.event_id,
    event_source: event.event_source,
    user_name: event.user_name,
    access_key_id: event.access_key_id,
    is_read_only: event.is_read_only,
    record: event.record,
    hash: event.hash,
  }),
)

const insertResource = prepared((db, { sequence, type, name }: Tables['audit_resources']) =>
  db.insertInto('audit_resources').values({ sequence, type, name }),
)

const setHash = prepared((db, trail: { readonly accountId: string; readonly hash: string }) =>
  db
    .updateTable('audit_trails')
    .set({ hash: trail.hash })
    .where('account_id', '=', trail.accountId),
)

/** Makes room at the end of a trail, and holds it until the transaction is over. */
async function advance(db: Database, accountId: string, count: number) {
  const move = async () => (await moveEnd(db, { accountId, count })).rows[0]
  const moved = await move()
  if (moved) return moved
  const first = { position: 0, hash: '', first_position: 0, first_hash: '' }
  await db
    .insertInto('audit_trails')
    .values({ account_id: accountId, ...first })
    .onConflict((conflict) => conflict.column('account_id').doNothing())
    .execute()
  return (await move()) ?? first
}

const moveEnd = prepared(
  (db, { accountId, count }: { readonly accountId: string; readonly count: number }) =>
    db
      .updateTable('audit_trails')
      .set((the) => ({ position: the('position', '+', count) }))
      .where('account_id', '=', accountId)
      .returning(['position', 'hash']),
)

export async function listTrails(db: Database): Promise<readonly Trail[]> {
  const rows = await db.selectFrom('audit_trails').selectAll().orderBy('account_id').execute()
  return rows.map((row) => ({
    accountId: row.account_id,
    position: row.position,
    hash: row.hash,
    firstPosition: row.first_position,
    firstHash: row.first_hash,
  }))
}

/** Events of one trail behind a position, in their order. */
export async function listKept(
  db: Database,
  { accountId, after, limit }: { accountId: string; after: number; limit: number },
): Promise<readonly (KeptEvent & { readonly listed: Listed })[]> {
  const rows = await ofTrail(db, accountId)
    .selectAll()
    .where('position', '>', after)
    .orderBy('position')
    .limit(limit)
    .execute()
  const resources = await listResourcesOf(
    db,
    rows.map(({ sequence }) => sequence),
  )
  return rows.map((row) => ({
    accountId,
    position: row.position ?? 0,
    record: row.record ?? '',
    hash: row.hash ?? '',
    listed: {
      requestId: row.request_id,
      userArn: row.user_arn,
      region: row.region,
      action: row.action,
      outcome: row.outcome,
      time: timeOf(new Date(row.at_ms)),
      eventId: row.event_id,
      eventSource: row.event_source,
      userName: row.user_name,
      accessKeyId: row.access_key_id,
      isReadOnly: row.is_read_only === null ? null : row.is_read_only === 1,
      resources: namesOf(resources.get(row.sequence) ?? []),
    },
  }))
}

/** Which trail an event is in that has a hash, or had it and was let go because of its age. */
export async function findTrailWith(db: Database, hash: string): Promise<string | undefined> {
  const event = await db
    .selectFrom('audit_events')
    .select('account_id')
    .where('hash', '=', hash)
    .executeTakeFirst()
  if (event) return event.account_id ?? nobody
  const trail = (await listTrails(db)).find((one) => one.firstHash === hash || one.hash === hash)
  return trail?.accountId
}

/** Forgets events up to a position; what comes after can still be proved. Tells how many. */
export async function forgetEvents(
  db: Database,
  { accountId, upTo }: { readonly accountId: string; readonly upTo: number },
): Promise<number> {
  const last = await ofTrail(db, accountId)
    .select('hash')
    .where('position', '=', upTo)
    .executeTakeFirst()
  if (last?.hash == null) return 0
  await db
    .updateTable('audit_trails')
    .set({ first_position: upTo, first_hash: last.hash })
    .where('account_id', '=', accountId)
    .execute()
  const old = ofTrail(db, accountId).select('sequence').where('position', '<=', upTo)
  await db.deleteFrom('audit_resources').where('sequence', 'in', old).execute()
  const { numDeletedRows } = await db
    .deleteFrom('audit_events')
    .where('sequence', 'in', old)
    .executeTakeFirst()
  return Number(numDeletedRows)
}

/** The last position of a trail that is older than a time, or too far behind its end; 0 for none. */
export async function findForgettable(
  db: Database,
  trail: Trail,
  { before, eventsMax }: { readonly before: Date; readonly eventsMax: number },
): Promise<number> {
  const row = await ofTrail(db, trail.accountId)
    .select((the) => the.fn.max('position').as('position'))
    .where('at_ms', '<', before.getTime())
    .executeTakeFirst()
  return Math.max(Number(row?.position ?? 0), trail.position - eventsMax, 0)
}

function ofTrail(db: Database, accountId: string) {
  return db
    .selectFrom('audit_events')
    .where('account_id', accountId ? '=' : 'is', accountId || null)
    .where('position', 'is not', null)
}

export interface ListedEvent {
  readonly requestId: string
  readonly accountId: string | undefined
  readonly userArn: string | undefined
  readonly region: string | undefined
  readonly action: string
  readonly outcome: string
  readonly at: Date
  readonly record: string | undefined
}

export async function listEvents(db: Database): Promise<ListedEvent[]> {
  const rows = await db.selectFrom('audit_events').selectAll().orderBy('sequence').execute()
  return rows.map((row) => ({
    requestId: row.request_id,
    accountId: row.account_id ?? undefined,
    userArn: row.user_arn ?? undefined,
    region: row.region ?? undefined,
    action: row.action,
    outcome: row.outcome,
    at: new Date(row.at_ms),
    record: row.record ?? undefined,
  }))
}

/** When something was changed, in milliseconds: what was made by a call bears its time. */
export async function listTimesOfChanges(db: Database): Promise<ReadonlySet<number>> {
  const rows = await db
    .selectFrom('audit_events')
    .select('at_ms')
    .distinct()
    .where('outcome', '=', 'Success')
    .where((the) => the.or([the('is_read_only', 'is', null), the('is_read_only', '=', 0)]))
    .execute()
  return new Set(rows.map((row) => row.at_ms))
}

export type LookupKey =
  | 'event_id'
  | 'action'
  | 'is_read_only'
  | 'user_name'
  | 'resource_type'
  | 'resource_name'
  | 'event_source'
  | 'access_key_id'

export interface Lookup {
  readonly accountId: string
  readonly region: string
  readonly key: LookupKey | undefined
  readonly value: string | number
  readonly from: Date | undefined
  readonly to: Date | undefined
  /** Only events that were recorded before this one. */
  readonly before: number | undefined
  readonly limit: number
}

/** Events of an account's trail in a Region, the newest first. */
export async function lookUpEvents(db: Database, lookup: Lookup) {
  const { accountId, region, key, value, from, to, before, limit } = lookup
  let query = ofTrail(db, accountId).selectAll().where('region', '=', region)
  if (from) query = query.where('at_ms', '>=', from.getTime())
  if (to) query = query.where('at_ms', '<=', to.getTime())
  if (before !== undefined) query = query.where('sequence', '<', before)
  if (key === 'resource_name' || key === 'resource_type') {
    const column = key === 'resource_name' ? 'name' : 'type'
    query = query.where('sequence', 'in', (the) =>
      the.selectFrom('audit_resources').select('sequence').where(column, '=', String(value)),
    )
  } else if (key) {
    query = query.where(sql.ref(key), '=', value)
  }
  const rows = await query.orderBy('sequence', 'desc').limit(limit).execute()
  return rows.map((row) => ({
    sequence: row.sequence,
    eventId: row.event_id ?? '',
    action: row.action,
    isReadOnly: row.is_read_only === 1,
    accessKeyId: row.access_key_id ?? undefined,
    at: new Date(row.at_ms),
    eventSource: row.event_source ?? '',
    userName: row.user_name ?? undefined,
    record: row.record ?? '',
  }))
}

/** What the events named, by their sequence. */
export async function listResourcesOf(
  db: Database,
  sequences: readonly number[],
): Promise<ReadonlyMap<number, readonly Resource[]>> {
  const found = new Map<number, Resource[]>()
  if (sequences.length === 0) return found
  const rows = await db
    .selectFrom('audit_resources')
    .selectAll()
    .where('sequence', 'in', sequences)
    .orderBy('name')
    .execute()
  for (const { sequence, type, name } of rows) {
    const resources = found.get(sequence) ?? []
    resources.push({ type, name })
    found.set(sequence, resources)
  }
  return found
}
