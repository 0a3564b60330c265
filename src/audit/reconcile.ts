/** Lets events go that are older than the installation keeps them, or more than it keeps. */
import { type Connections, transaction } from '../db/database.ts'
import { every } from '../reconcile/every.ts'
import type { Reconciler } from '../reconcile/loop.ts'
import { findForgettable, forgetEvents, listTrails } from './store.ts'

/** How much of a trail is kept. */
export interface Retention {
  readonly days: number
  readonly eventsMax: number
}

const everyMs = 10 * 60 * 1000
const dayMs = 24 * 60 * 60 * 1000
/** A transaction deletes no more than this, so that others wait a moment only. */
const atOnceMax = 1000

export function auditReconciler({
  db,
  now,
  retention,
}: {
  readonly db: Connections
  readonly now: () => Date
  readonly retention: Retention
}): Reconciler {
  const isTime = every(everyMs, now)
  return {
    name: 'audit',
    stepsAtOnceMax: 1,
    async due() {
      if (!isTime()) return []
      const before = new Date(now().getTime() - retention.days * dayMs)
      const due: string[] = []
      for (const trail of await listTrails(db.reads)) {
        const upTo = await findForgettable(db.reads, trail, { before, ...retention })
        // What is not all of it now comes at the next look.
        for (let to = trail.firstPosition + atOnceMax; to < upTo; to += atOnceMax)
          due.push(`${trail.accountId}/${to}`)
        if (upTo > trail.firstPosition) due.push(`${trail.accountId}/${upTo}`)
      }
      return due
    },
    async step(key) {
      const [accountId = '', upTo] = key.split('/')
      await transaction(db.writes, (tx) => forgetEvents(tx, { accountId, upTo: Number(upTo) }))
      return 'waiting'
    },
  }
}
