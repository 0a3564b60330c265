/** Keeps the promise of a usage report: counts who uses the image, and throws it away in the end. */
import { type Connections, transaction } from '../db/database.ts'
import { countInstancesOfImage } from '../instances/store.ts'
import { unusedStates, usageCountsOwner } from '../images/unknowns.ts'
import { messageOf } from '../lib/message-of.ts'
import type { Reconciler } from '../reconcile/loop.ts'
import { deleteTagsOf } from '../tags/store.ts'
import { bornBefore, type ReportId } from './report.ts'
import { deleteReport, failReport, findReport, finishReport, listDueReports } from './store.ts'

export function usageReportReconciler({
  db,
  now,
}: {
  readonly db: Connections
  readonly now: () => Date
}): Reconciler<ReportId> {
  return {
    name: 'image-usage-reports',
    stepsAtOnceMax: 2,
    due: () => listDueReports(db.reads, bornBefore(now())),
    async step(id) {
      return await transaction(db.writes, async (tx) => {
        const report = await findReport(tx, id)
        if (!report) return 'waiting'
        if (report.createdAt < bornBefore(now())) {
          await deleteReport(tx, id)
          await deleteTagsOf(tx, id)
          return 'moved'
        }
        if (report.state !== 'pending') return 'waiting'
        const { imageId, accountId: owner, accountIds, scopes } = report
        // Instances are the one type of resources that others have here.
        const isAsked = scopes.some(({ type }) => type === 'ec2:Instance')
        const counts = isAsked ? await countInstancesOfImage(tx, imageId, unusedStates) : []
        const entries = counts
          .filter(({ accountId }) => usageCountsOwner || accountId !== owner)
          .filter(({ accountId }) => accountIds.length === 0 || accountIds.includes(accountId))
          .map((found) => ({ ...found, resourceType: 'ec2:Instance' }))
        await finishReport(tx, id, entries)
        return 'moved'
      })
    },
    async giveUp(id, error) {
      const reason = messageOf(error)
      await transaction(db.writes, (tx) => failReport(tx, id, reason))
    },
  }
}
