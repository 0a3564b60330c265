/** Reports as a caller may find them: its own, while it manages an organization. */
import type { Database } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import type { Organization } from '../organizations/organization.ts'
import { requireManaged } from '../organizations/standing.ts'
import type { CallContext } from '../wire/operation.ts'
import { notManaging, parseReportId, type Report, reportNotFound } from './report.ts'
import { findReport } from './store.ts'

/** The organization that the caller manages, or EC2's refusal. */
export async function requireManaging(
  db: Database,
  { caller }: Pick<CallContext, 'caller'>,
): Promise<Organization> {
  try {
    return await requireManaged(db, caller.accountId)
  } catch (error) {
    throw error instanceof ApiError ? notManaging() : error
  }
}

export async function requireReport(
  db: Database,
  call: Pick<CallContext, 'caller' | 'region'>,
  text: string | undefined,
): Promise<Report> {
  await requireManaging(db, call)
  const id = parseReportId(text ?? '')
  const report = await findReport(db, id)
  const { caller, region } = call
  if (report?.accountId !== caller.accountId || report.region !== region) throw reportNotFound(id)
  return report
}
