/** The `audit_events` table: one row for each call, whatever came of it. */
import type { Database } from '../db/database.ts'

export interface AuditEvent {
  readonly requestId: string
  readonly accountId: string | undefined
  readonly userArn: string | undefined
  readonly region: string | undefined
  readonly action: string
  /** `Success`, or the code of the error. */
  readonly outcome: string
  readonly at: Date
}

/** Numbers events in the order in which they are recorded, also across restarts. */
let lastSequence = 0

function nextSequence(at: Date): number {
  // A thousand events a millisecond leave room until 2^53 for centuries.
  lastSequence = Math.max(lastSequence + 1, at.getTime() * 1000)
  return lastSequence
}

export async function recordEvents(db: Database, events: readonly AuditEvent[]): Promise<void> {
  if (events.length === 0) return
  const rows = events.map((event) => ({
    sequence: nextSequence(event.at),
    request_id: event.requestId,
    account_id: event.accountId ?? null,
    user_arn: event.userArn ?? null,
    region: event.region ?? null,
    action: event.action,
    outcome: event.outcome,
    at_ms: event.at.getTime(),
  }))
  await db.insertInto('audit_events').values(rows).execute()
}

export async function listEvents(db: Database): Promise<AuditEvent[]> {
  const rows = await db.selectFrom('audit_events').selectAll().orderBy('sequence').execute()
  return rows.map((row) => ({
    requestId: row.request_id,
    accountId: row.account_id ?? undefined,
    userArn: row.user_arn ?? undefined,
    region: row.region ?? undefined,
    action: row.action,
    outcome: row.outcome,
    at: new Date(row.at_ms),
  }))
}

/** When something was changed, in milliseconds: what was made by a call bears its time. */
export async function listTimesOfChanges(db: Database): Promise<ReadonlySet<number>> {
  const rows = await db
    .selectFrom('audit_events')
    .select('at_ms')
    .distinct()
    .where('outcome', '=', 'Success')
    .execute()
  return new Set(rows.map((row) => row.at_ms))
}
