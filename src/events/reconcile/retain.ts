/** Lets events go that are older than the installation keeps them, or more than it keeps. */
import { type Connections, transaction } from '../../db/database.ts'
import { every } from '../../reconcile/every.ts'
import type { Reconciler } from '../../reconcile/loop.ts'
import { deleteEvents, listEventAccounts, listForgettable } from '../store.ts'
import { lifeMs } from '../subscription.ts'
import { expireDeliveries } from '../subscription-store.ts'

const everyMs = 10 * 60 * 1000
const dayMs = 24 * 60 * 60 * 1000
/** A transaction deletes no more than this, so that others wait a moment only. */
const atOnceMax = 500

export function eventRetentionReconciler({
  db,
  now,
  retention,
}: {
  readonly db: Connections
  readonly now: () => Date
  readonly retention: { readonly days: number; readonly eventsMax: number }
}): Reconciler {
  const isTime = every(everyMs, now)
  return {
    name: 'event-retention',
    stepsAtOnceMax: 1,
    due: async () => (isTime() ? ['all'] : []),
    async step() {
      const atMs = now().getTime()
      await transaction(db.writes, (tx) => expireDeliveries(tx, new Date(atMs - lifeMs)))
      const before = new Date(atMs - retention.days * dayMs)
      for (const accountId of await listEventAccounts(db.reads)) {
        for (;;) {
          const query = { accountId, before, eventsMax: retention.eventsMax, limit: atOnceMax }
          const old = await listForgettable(db.reads, query)
          if (old.length > 0) await transaction(db.writes, (tx) => deleteEvents(tx, old))
          if (old.length < atOnceMax) break
        }
      }
      return 'waiting'
    },
  }
}
