/** Finds the reports that a call names among the caller's own, or refuses the call. */
import type { Database } from '../db/database.ts'
import { parseImageId } from '../images/image.ts'
import type { CallContext } from '../wire/operation.ts'
import { parseReportId, reportNotFound, type UsageReport } from './report.ts'
import { listReports } from './store.ts'

export async function findReports(
  db: Database,
  { caller, region }: Pick<CallContext, 'caller' | 'region'>,
  wanted: {
    readonly ReportIds?: readonly string[] | undefined
    readonly ImageIds?: readonly string[] | undefined
  },
): Promise<readonly UsageReport[]> {
  const ids = wanted.ReportIds?.map(parseReportId) ?? []
  const imageIds = wanted.ImageIds?.map(parseImageId) ?? []
  const own = await listReports(db, { accountId: caller.accountId, region })
  const missing = ids.find((id) => !own.some((report) => report.id === id))
  if (missing) throw reportNotFound(missing)
  return own
    .filter(({ id }) => ids.length === 0 || ids.includes(id))
    .filter(({ imageId }) => imageIds.length === 0 || imageIds.includes(imageId))
}
