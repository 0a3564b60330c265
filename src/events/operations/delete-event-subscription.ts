import type { Extension } from '../../wire/extension.ts'
import { isSubscriptionId, subscriptionNotFound } from '../subscription.ts'
import { deleteSubscription } from '../subscription-store.ts'

/** Ends a subscription, with all that was still to be delivered. */
export const deleteEventSubscription: Extension = {
  kind: 'write',
  action: 'DeleteEventSubscription',
  method: 'DELETE',
  path: '/imago/v1/event-subscriptions/:id',
  async run({ input, tx, caller, region }) {
    const id = input.path['id'] ?? ''
    const { accountId } = caller
    const isGone = isSubscriptionId(id) && (await deleteSubscription(tx, { id, accountId, region }))
    if (!isGone) throw subscriptionNotFound(id)
    return { id }
  },
}
