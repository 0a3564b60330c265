/** For tests: what accounts are told of all that has changed until now. */
import { randomUUID } from 'node:crypto'
import type { Connections } from '../db/database.ts'
import type { Owner } from '../lib/owner.ts'
import type { Envelope } from './event.ts'
import { EventFeed } from './feed.ts'
import { eventReconciler } from './reconcile/publish.ts'
import { listEvents } from './store.ts'

export async function settle(reconciler: {
  due(): Promise<readonly string[]>
  step(key: string): Promise<unknown>
}): Promise<void> {
  for (const key of await reconciler.due()) await reconciler.step(key)
}

export async function publishAll(db: Connections): Promise<void> {
  const reconciler = eventReconciler({ db, feed: new EventFeed(), newId: randomUUID })
  while ((await reconciler.due()).length > 0) await settle(reconciler)
}

export async function toldTo(
  db: Connections,
  { accountId, region }: Owner,
): Promise<readonly Envelope[]> {
  await publishAll(db)
  const query = { accountId, region, after: 0, limit: 1000 }
  return (await listEvents(db.reads, query)).map(({ body }) => JSON.parse(body) as Envelope)
}
