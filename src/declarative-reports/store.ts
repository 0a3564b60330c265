/** The `declarative_reports` table. Nothing else reads or writes it. */
import type { Selectable } from 'kysely'
import { toDate } from '../db/columns.ts'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { Owner } from '../lib/owner.ts'
import type { Report, ReportId, Summary } from './report.ts'

/** Tells whether no other report on the organization was under way. */
export async function insertReport(tx: Tx, report: Report): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('declarative_reports')
    .values({
      id: report.id,
      account_id: report.accountId,
      region: report.region,
      organization_id: report.organizationId,
      bucket: report.bucket,
      prefix: report.prefix ?? null,
      target_id: report.targetId,
      state: report.state,
      started_at_ms: report.startedAt.getTime(),
      ended_at_ms: null,
      summary: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

export async function findReport(db: Database, id: ReportId): Promise<Report | undefined> {
  const row = await db
    .selectFrom('declarative_reports')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst()
  return row && fromRow(row)
}

/** What an account has in a Region, in the order of ids. */
export async function listReports(db: Database, owner: Owner): Promise<readonly Report[]> {
  const rows = await db
    .selectFrom('declarative_reports')
    .selectAll()
    .where('account_id', '=', owner.accountId)
    .where('region', '=', owner.region)
    .orderBy('id')
    .execute()
  return rows.map(fromRow)
}

export async function listRunning(db: Database): Promise<readonly ReportId[]> {
  const rows = await db
    .selectFrom('declarative_reports')
    .select('id')
    .where('state', '=', 'running')
    .execute()
  return rows.map(({ id }) => id)
}

/** Ends a report. Tells whether it was still under way. */
export async function endReport(
  tx: Tx,
  id: ReportId,
  end: {
    readonly state: 'complete' | 'cancelled' | 'error'
    readonly at: Date
    readonly summary?: Summary
  },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('declarative_reports')
    .set({
      state: end.state,
      ended_at_ms: end.at.getTime(),
      summary: end.summary ? JSON.stringify(end.summary) : null,
    })
    .where('id', '=', id)
    .where('state', '=', 'running')
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

function fromRow(row: Selectable<Tables['declarative_reports']>): Report {
  return {
    id: row.id,
    accountId: row.account_id,
    region: row.region,
    organizationId: row.organization_id,
    bucket: row.bucket,
    prefix: row.prefix ?? undefined,
    targetId: row.target_id,
    state: row.state,
    startedAt: new Date(row.started_at_ms),
    endedAt: toDate(row.ended_at_ms),
    summary: row.summary === null ? undefined : (JSON.parse(row.summary) as Summary),
  }
}
