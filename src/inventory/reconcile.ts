/** Forgets which image a machine was started from, long after the machine is gone. */
import { type Connections, transaction } from '../db/database.ts'
import { every } from '../reconcile/every.ts'
import type { Reconciler } from '../reconcile/loop.ts'
import { forgetLaunches } from './launch-store.ts'

const everyMs = 60 * 60 * 1000
const dayMs = 24 * 60 * 60 * 1000
const atOnceMax = 1000

export function launchReconciler({
  db,
  now,
  days,
}: {
  readonly db: Connections
  readonly now: () => Date
  readonly days: number
}): Reconciler {
  const isTime = every(everyMs, now)
  return {
    name: 'launches',
    stepsAtOnceMax: 1,
    due: async () => (isTime() ? ['all'] : []),
    async step() {
      const before = new Date(now().getTime() - days * dayMs)
      while (await transaction(db.writes, (tx) => forgetLaunches(tx, before, atOnceMax)));
      return 'waiting'
    },
  }
}
