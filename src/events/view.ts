/** A subscription as our own API shows it: without its secret. */
import type { Subscription } from './subscription.ts'
import type { Owed } from './subscription-store.ts'

export function viewSubscription(one: Subscription, { waiting, dead, reason }: Owed) {
  return {
    id: one.id,
    url: one.url,
    ...(one.pattern !== undefined && { pattern: one.pattern }),
    createdAt: one.createdAt.toISOString(),
    ...(one.deliveredAt && { deliveredAt: one.deliveredAt.toISOString() }),
    waiting,
    dead,
    ...(reason !== undefined && { lastFailure: reason }),
  }
}
