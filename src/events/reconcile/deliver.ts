/**
 * Delivers events to those who have subscribed to them, until they have them or a day has passed.
 * What an account that is closed had to get is dropped; its subscriptions stay.
 */
import { type Connections, transaction } from '../../db/database.ts'
import type { Sealer } from '../../lib/seal.ts'
import { findStanding } from '../../organizations/store.ts'
import type { OutboundRules } from '../../outbound/rules.ts'
import type { Reconciler } from '../../reconcile/loop.ts'
import { deliver } from '../deliver.ts'
import { findEvent } from '../store.ts'
import { lifeMs, type SubscriptionId, waitAfterMs } from '../subscription.ts'
import {
  dropDeliveries,
  failDelivery,
  findDelivery,
  findSubscription,
  finishDelivery,
  listDueDeliveries,
} from '../subscription-store.ts'

/** One receiver that does not answer does not keep the others waiting. */
const perSubscription = 2

export function deliveryReconciler({
  db,
  sealer,
  rules,
  now,
  signal,
}: {
  readonly db: Connections
  readonly sealer: Sealer
  readonly rules: OutboundRules
  readonly now: () => Date
  /** Aborted when the service closes: what is under way is tried again after the next start. */
  readonly signal: AbortSignal
}): Reconciler {
  return {
    name: 'event-deliveries',
    stepsAtOnceMax: 32,
    async due() {
      const due = await listDueDeliveries(db.reads, now(), perSubscription)
      return due.map(({ subscriptionId, position }) => `${subscriptionId}/${position}`)
    },
    async step(key) {
      const [id = '', position = ''] = key.split('/')
      const subscriptionId = id as SubscriptionId
      const owed = await findDelivery(db.reads, { subscriptionId, position: Number(position) })
      const to = owed && (await findSubscription(db.reads, subscriptionId, sealer))
      const event = owed && (await findEvent(db.reads, owed.position))
      if (!to || !event) return 'waiting'
      if ((await findStanding(db.reads, to.accountId))?.isClosed) {
        await transaction(db.writes, (tx) => dropDeliveries(tx, subscriptionId))
        return 'moved'
      }
      const problem = await deliver(event, to, { rules, now: now(), signal })
      if (signal.aborted) return 'waiting'
      const at = now()
      await transaction(db.writes, async (tx) => {
        if (problem === undefined) return await finishDelivery(tx, owed, at)
        const next = new Date(at.getTime() + waitAfterMs(owed.tries + 1))
        const isOver = next.getTime() > event.at.getTime() + lifeMs
        const tryAt = isOver ? undefined : next
        await failDelivery(tx, owed, { reason: problem.slice(0, 500), tryAt })
      })
      return 'moved'
    },
  }
}
