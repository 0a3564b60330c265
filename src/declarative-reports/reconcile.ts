/** Keeps the promise of a report: writes it into its bucket first, and says then that it is there. */
import { type Buckets, NoSuchBucket, ObjectExists } from '../buckets/buckets.ts'
import { type Connections, transaction } from '../db/database.ts'
import type { Reconciler } from '../reconcile/loop.ts'
import { lookAt } from './look.ts'
import { encodeLines, objectKeyOf, type ReportId, summarise } from './report.ts'
import { endReport, findReport, listRunning } from './store.ts'

export function declarativeReportReconciler({
  db,
  buckets,
  regions,
  now,
}: {
  readonly db: Connections
  readonly buckets: Buckets
  readonly regions: readonly string[]
  readonly now: () => Date
}): Reconciler<ReportId> {
  const end = (id: ReportId, how: Omit<Parameters<typeof endReport>[2], 'at'>) =>
    transaction(db.writes, (tx) => endReport(tx, id, { ...how, at: now() }))
  return {
    name: 'declarative-reports',
    stepsAtOnceMax: 1,
    due: () => listRunning(db.reads),
    async step(id) {
      const report = await findReport(db.reads, id)
      if (report?.state !== 'running') return 'waiting'
      const lines = await transaction(db.reads, (tx) => lookAt(tx, report, regions))
      try {
        const place = { ...report, key: objectKeyOf(report) }
        await buckets.put(place, id, (append) => append(Buffer.from(encodeLines(lines))))
      } catch (error) {
        if (error instanceof NoSuchBucket) {
          await end(id, { state: 'error' })
          return 'moved'
        }
        // It was written before the service ended; only that it was is still to be said.
        if (!(error instanceof ObjectExists)) throw error
      }
      await end(id, { state: 'complete', summary: summarise(lines) })
      return 'moved'
    },
    async giveUp(id) {
      await end(id, { state: 'error' })
    },
  }
}
