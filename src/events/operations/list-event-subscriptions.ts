import type { Extension } from '../../wire/extension.ts'
import { countOwed, listSubscriptions } from '../subscription-store.ts'
import { viewSubscription } from '../view.ts'

/** Where events of the account and Region are sent, and what could not be delivered and why. */
export const listEventSubscriptions: Extension = {
  kind: 'read',
  action: 'ListEventSubscriptions',
  method: 'GET',
  path: '/imago/v1/event-subscriptions',
  async run({ db, caller, region }) {
    const subscriptions = []
    for (const one of await listSubscriptions(db, { accountId: caller.accountId, region })) {
      subscriptions.push(viewSubscription(one, await countOwed(db, one.id)))
    }
    return { subscriptions }
  },
}
