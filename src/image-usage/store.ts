/** The `image_usage_reports` and `image_usage_entries` tables. Nothing else reads or writes them. */
import type { Selectable } from 'kysely'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import { inChunks } from '../lib/chunks.ts'
import type { Owner } from '../lib/owner.ts'
import type { Scope } from './reference.ts'
import type { ReportId, UsageEntry, UsageReport } from './report.ts'

export async function insertReport(tx: Tx, report: UsageReport): Promise<void> {
  await tx
    .insertInto('image_usage_reports')
    .values({
      id: report.id,
      account_id: report.accountId,
      region: report.region,
      image_id: report.imageId,
      resource_types: JSON.stringify(report.scopes),
      account_ids: JSON.stringify(report.accountIds),
      state: report.state,
      state_reason: report.stateReason ?? null,
      created_at_ms: report.createdAt.getTime(),
    })
    .execute()
}

export async function findReport(db: Database, id: ReportId): Promise<UsageReport | undefined> {
  const row = await db
    .selectFrom('image_usage_reports')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst()
  return row && fromRow(row)
}

/** What an account has in a Region, in the order of ids. */
export async function listReports(db: Database, owner: Owner): Promise<readonly UsageReport[]> {
  const rows = await db
    .selectFrom('image_usage_reports')
    .selectAll()
    .where('account_id', '=', owner.accountId)
    .where('region', '=', owner.region)
    .orderBy('id')
    .execute()
  return rows.map(fromRow)
}

/** The reports to be made, and those that were made before a time. */
export async function listDueReports(db: Database, before: Date): Promise<readonly ReportId[]> {
  const rows = await db
    .selectFrom('image_usage_reports')
    .select('id')
    .where((where) =>
      where.or([where('state', '=', 'pending'), where('created_at_ms', '<', before.getTime())]),
    )
    .orderBy('id')
    .execute()
  return rows.map(({ id }) => id)
}

/** Keeps what was found out. Tells whether the report was still waited for. */
export async function finishReport(
  tx: Tx,
  id: ReportId,
  entries: readonly Omit<UsageEntry, 'reportId'>[],
): Promise<boolean> {
  if (!(await changeState(tx, id, 'available', undefined))) return false
  for (const { accountId, resourceType, count } of entries) {
    await tx
      .insertInto('image_usage_entries')
      .values({
        report_id: id,
        account_id: accountId,
        resource_type: resourceType,
        usage_count: count,
      })
      .execute()
  }
  return true
}

export async function failReport(tx: Tx, id: ReportId, reason: string): Promise<boolean> {
  return await changeState(tx, id, 'error', reason)
}

async function changeState(
  tx: Tx,
  id: ReportId,
  state: 'available' | 'error',
  reason: string | undefined,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('image_usage_reports')
    .set({ state, state_reason: reason ?? null })
    .where('id', '=', id)
    .where('state', '=', 'pending')
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

export async function deleteReport(tx: Tx, id: ReportId): Promise<void> {
  await tx.deleteFrom('image_usage_reports').where('id', '=', id).execute()
}

/** The entries of some reports, in the order of report, account and type. */
export async function listEntries(
  db: Database,
  reportIds: readonly ReportId[],
): Promise<readonly UsageEntry[]> {
  const found: UsageEntry[] = []
  for (const ids of inChunks(reportIds)) {
    const rows = await db
      .selectFrom('image_usage_entries')
      .selectAll()
      .where('report_id', 'in', ids)
      .orderBy('report_id')
      .orderBy('account_id')
      .orderBy('resource_type')
      .execute()
    for (const row of rows) {
      found.push({
        reportId: row.report_id,
        accountId: row.account_id,
        resourceType: row.resource_type,
        count: row.usage_count,
      })
    }
  }
  return found
}

function fromRow(row: Selectable<Tables['image_usage_reports']>): UsageReport {
  return {
    id: row.id,
    accountId: row.account_id,
    region: row.region,
    imageId: row.image_id,
    scopes: JSON.parse(row.resource_types) as readonly Scope[],
    accountIds: JSON.parse(row.account_ids) as readonly string[],
    state: row.state,
    stateReason: row.state_reason ?? undefined,
    createdAt: new Date(row.created_at_ms),
  }
}
