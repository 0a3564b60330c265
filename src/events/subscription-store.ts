/**
 * The `event_subscriptions` and `event_deliveries` tables: who is sent events, and what is still
 * owed to them. Secrets are only ever stored sealed.
 */
import type { Selectable } from 'kysely'
import { toDate } from '../db/columns.ts'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { Owner } from '../lib/owner.ts'
import type { Sealer } from '../lib/seal.ts'
import { Secret } from '../lib/secret.ts'
import type { Subscription, SubscriptionId } from './subscription.ts'

const contextOf = (id: SubscriptionId) => `event-subscription:${id}`

export async function insertSubscription(
  tx: Tx,
  { id, accountId, region, url, pattern, createdAt }: Subscription,
  { secret, sealer }: { readonly secret: Secret; readonly sealer: Sealer },
): Promise<void> {
  const sealed = sealer.seal(Buffer.from(secret.reveal()), contextOf(id))
  await tx
    .insertInto('event_subscriptions')
    .values({
      id,
      account_id: accountId,
      region,
      url,
      pattern: pattern === undefined ? null : JSON.stringify(pattern),
      sealed_secret: Buffer.from(sealed).toString('base64'),
      created_at_ms: createdAt.getTime(),
      delivered_at_ms: null,
    })
    .execute()
}

export async function listSubscriptions(
  db: Database,
  owner: Owner,
): Promise<readonly Subscription[]> {
  const rows = await db
    .selectFrom('event_subscriptions')
    .selectAll()
    .where('account_id', '=', owner.accountId)
    .where('region', '=', owner.region)
    .orderBy('created_at_ms')
    .orderBy('id')
    .execute()
  return rows.map(fromRow)
}

export async function listAllSubscriptions(db: Database): Promise<readonly Subscription[]> {
  const rows = await db.selectFrom('event_subscriptions').selectAll().orderBy('id').execute()
  return rows.map(fromRow)
}

/** With what its deliveries are signed with. */
export async function findSubscription(
  db: Database,
  id: SubscriptionId,
  sealer: Sealer,
): Promise<(Subscription & { readonly secret: Secret }) | undefined> {
  const row = await db
    .selectFrom('event_subscriptions')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) return undefined
  const secret = sealer.open(Buffer.from(row.sealed_secret, 'base64'), contextOf(id))
  return { ...fromRow(row), secret: new Secret(Buffer.from(secret).toString()) }
}

/** Tells whether it was there, and whose it was. What it was owed goes with it. */
export async function deleteSubscription(
  tx: Tx,
  { id, accountId, region }: Owner & { readonly id: string },
): Promise<boolean> {
  const own = tx
    .selectFrom('event_subscriptions')
    .select('id')
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .where('region', '=', region)
  await tx.deleteFrom('event_deliveries').where('subscription_id', 'in', own).execute()
  const { numDeletedRows } = await tx
    .deleteFrom('event_subscriptions')
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .where('region', '=', region)
    .executeTakeFirst()
  return numDeletedRows === 1n
}

/** An event that a subscription is still owed. */
export interface Delivery {
  readonly subscriptionId: SubscriptionId
  readonly position: number
  readonly tries: number
}

export async function insertDeliveries(
  tx: Tx,
  deliveries: readonly (Pick<Delivery, 'subscriptionId' | 'position'> & {
    readonly resourceId: string
  })[],
): Promise<void> {
  if (deliveries.length === 0) return
  const rows = deliveries.map(({ subscriptionId, position, resourceId }) => ({
    subscription_id: subscriptionId,
    position,
    resource_id: resourceId,
    state: 'waiting' as const,
    tries: 0,
    try_at_ms: 0,
    reason: null,
  }))
  await tx.insertInto('event_deliveries').values(rows).execute()
}

/** The next deliveries of each subscription: none before an earlier one of the same resource. */
export async function listDueDeliveries(
  db: Database,
  now: Date,
  perSubscription: number,
): Promise<readonly Delivery[]> {
  const waiting = await db
    .selectFrom('event_deliveries')
    .select('subscription_id')
    .distinct()
    .where('state', '=', 'waiting')
    .execute()
  const due: Delivery[] = []
  for (const { subscription_id: id } of waiting) {
    const rows = await db
      .selectFrom('event_deliveries as one')
      .select(['position', 'tries'])
      .where('subscription_id', '=', id)
      .where('state', '=', 'waiting')
      .where('position', 'in', firstWaiting(db, id))
      .where('try_at_ms', '<=', now.getTime())
      .where((where) =>
        where.not(
          where.exists(
            where
              .selectFrom('event_deliveries as earlier')
              .select('earlier.position')
              .where('earlier.subscription_id', '=', id)
              .where('earlier.state', '=', 'waiting')
              .whereRef('earlier.resource_id', '=', 'one.resource_id')
              .whereRef('earlier.position', '<', 'one.position'),
          ),
        ),
      )
      .orderBy('try_at_ms')
      .orderBy('position')
      .limit(perSubscription)
      .execute()
    due.push(...rows.map((row) => ({ ...row, subscriptionId: id as SubscriptionId })))
  }
  return due
}

/** However much a subscription is owed, no more than this is looked through. */
const windowMax = 500

const firstWaiting = (db: Database, id: string) =>
  db
    .selectFrom('event_deliveries')
    .select('event_deliveries.position')
    .where('subscription_id', '=', id)
    .where('state', '=', 'waiting')
    .orderBy('event_deliveries.position')
    .limit(windowMax)

export async function findDelivery(
  db: Database,
  { subscriptionId, position }: Pick<Delivery, 'subscriptionId' | 'position'>,
): Promise<Delivery | undefined> {
  const row = await db
    .selectFrom('event_deliveries')
    .select('tries')
    .where('subscription_id', '=', subscriptionId)
    .where('position', '=', position)
    .where('state', '=', 'waiting')
    .executeTakeFirst()
  return row && { subscriptionId, position, tries: row.tries }
}

export async function finishDelivery(tx: Tx, one: Delivery, now: Date): Promise<void> {
  await tx
    .deleteFrom('event_deliveries')
    .where('subscription_id', '=', one.subscriptionId)
    .where('position', '=', one.position)
    .execute()
  await tx
    .updateTable('event_subscriptions')
    .set({ delivered_at_ms: now.getTime() })
    .where('id', '=', one.subscriptionId)
    .execute()
}

/** Gives up all that a subscription is still owed, as if it never had been. */
export async function dropDeliveries(tx: Tx, id: SubscriptionId): Promise<void> {
  await tx
    .deleteFrom('event_deliveries')
    .where('subscription_id', '=', id)
    .where('state', '=', 'waiting')
    .execute()
}

/** Says why it did not work, and when it is tried again: never, where no time is given. */
export async function failDelivery(
  tx: Tx,
  one: Delivery,
  { reason, tryAt }: { readonly reason: string; readonly tryAt: Date | undefined },
): Promise<void> {
  await tx
    .updateTable('event_deliveries')
    .set({
      tries: one.tries + 1,
      reason,
      ...(tryAt ? { try_at_ms: tryAt.getTime() } : { state: 'dead' as const }),
    })
    .where('subscription_id', '=', one.subscriptionId)
    .where('position', '=', one.position)
    .execute()
}

/** Gives up what could not be delivered of events from before a time. Tells whether there was any. */
export async function expireDeliveries(tx: Tx, before: Date): Promise<boolean> {
  const old = tx.selectFrom('events').select('position').where('at_ms', '<', before.getTime())
  const { numUpdatedRows } = await tx
    .updateTable('event_deliveries')
    .set((the) => ({
      state: 'dead' as const,
      reason: the.fn.coalesce('reason', the.val('it was not tried in time')),
    }))
    .where('state', '=', 'waiting')
    .where('position', 'in', old)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

export interface Owed {
  readonly waiting: number
  readonly dead: number
  /** Why the last one that did not work has not. */
  readonly reason: string | undefined
}

export async function countOwed(db: Database, id: SubscriptionId): Promise<Owed> {
  const rows = await db
    .selectFrom('event_deliveries')
    .select((of) => ['state', of.fn.countAll<number>().as('count')])
    .where('subscription_id', '=', id)
    .groupBy('state')
    .execute()
  const count = (state: 'waiting' | 'dead') =>
    Number(rows.find((row) => row.state === state)?.count ?? 0)
  const last = await db
    .selectFrom('event_deliveries')
    .select('reason')
    .where('subscription_id', '=', id)
    .where('reason', 'is not', null)
    .orderBy('try_at_ms', 'desc')
    .limit(1)
    .executeTakeFirst()
  return { waiting: count('waiting'), dead: count('dead'), reason: last?.reason ?? undefined }
}

const fromRow = (row: Selectable<Tables['event_subscriptions']>): Subscription => ({
  id: row.id as SubscriptionId,
  accountId: row.account_id,
  region: row.region,
  url: row.url,
  pattern: row.pattern === null ? undefined : (JSON.parse(row.pattern) as unknown),
  createdAt: new Date(row.created_at_ms),
  deliveredAt: toDate(row.delivered_at_ms),
})
