/** Reports as a caller may find them: its own, while it manages an organization. */
import type { Database } from '../db/database.ts'
import type { Organization } from '../organizations/organization.ts'
import { ec2Principal } from '../organizations/services.ts'
import { isAdministrator } from '../organizations/standing.ts'
import { findOrganizationOf } from '../organizations/store.ts'
import type { CallContext } from '../wire/operation.ts'
import { notManaging, parseReportId, type Report, reportNotFound } from './report.ts'
import { findReport } from './store.ts'

/** The organization that the caller manages, or is EC2's administrator of; or EC2's refusal. */
export async function requireManaging(
  db: Database,
  { caller: { accountId } }: Pick<CallContext, 'caller'>,
): Promise<Organization> {
  const organization = await findOrganizationOf(db, accountId)
  if (!organization) throw notManaging()
  if (organization.managementAccountId === accountId) return organization
  if (await isAdministrator(db, organization, accountId, ec2Principal)) return organization
  throw notManaging()
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
