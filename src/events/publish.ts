/**
 * Makes events of what the database has noted. A change is forgotten in the transaction that
 * records its events and what subscribers are owed: none is told twice, and none is lost.
 */
import { findRequestBehind } from '../audit/request-store.ts'
import type { Tx } from '../db/database.ts'
import { forgetChanges, listChanges } from './change-store.ts'
import { envelopeOf, type Event } from './event.ts'
import { actionsBehind, messagesOf } from './messages.ts'
import { matches, parsePattern } from './pattern.ts'
import { findLastPosition, insertEvents } from './store.ts'
import { messageOfSeveral } from './several.ts'
import type { StateChange } from './state-change.ts'
import { insertDeliveries, listAllSubscriptions } from './subscription-store.ts'

/** A transaction holds up others, so it is kept short. */
const atOnceMax = 50

/** Tells how many changes there were. */
export async function publish(tx: Tx, newId: () => string): Promise<number> {
  const changes = await listChanges(tx, atOnceMax)
  if (changes.length === 0) return 0
  const subscriptions = (await listAllSubscriptions(tx)).map((one) => ({
    ...one,
    selects: one.pattern === undefined ? undefined : parsePattern(one.pattern),
  }))
  let position = await findLastPosition(tx)
  const events: Event[] = []
  const deliveries = []
  const told: StateChange[] = []
  for (const change of changes) {
    const { resourceId, region, at } = change
    const actions = actionsBehind(change)
    const requestId = await findRequestBehind(tx, { name: resourceId, actions })
    told.push(change)
    const several = await messageOfSeveral(tx, change, told)
    for (const message of [...messagesOf(change, requestId ?? ''), ...several]) {
      const id = newId()
      const { accountId } = message
      const envelope = envelopeOf(message, { id, at, region })
      position++
      events.push({
        position,
        id,
        accountId,
        region,
        resourceId,
        at,
        body: JSON.stringify(envelope),
      })
      for (const { id: subscriptionId, selects, ...one } of subscriptions) {
        if (one.accountId !== accountId || one.region !== region) continue
        if (selects && !matches(selects, envelope)) continue
        deliveries.push({ subscriptionId, position, resourceId })
      }
    }
  }
  await insertEvents(tx, events)
  await insertDeliveries(tx, deliveries)
  await forgetChanges(tx, changes)
  return changes.length
}
