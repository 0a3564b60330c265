/** Tells of what has changed. */
import { type Connections, transaction } from '../../db/database.ts'
import type { Reconciler } from '../../reconcile/loop.ts'
import { hasChanges } from '../change-store.ts'
import type { EventFeed } from '../feed.ts'
import { publish } from '../publish.ts'

export function eventReconciler({
  db,
  feed,
  newId,
}: {
  readonly db: Connections
  readonly feed: EventFeed
  readonly newId: () => string
}): Reconciler {
  return {
    name: 'events',
    stepsAtOnceMax: 1,
    due: async () => ((await hasChanges(db.reads)) ? ['all'] : []),
    async step() {
      const count = await transaction(db.writes, (tx) => publish(tx, newId))
      feed.wake()
      return count > 0 ? 'moved' : 'waiting'
    },
  }
}
