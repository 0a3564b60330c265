/** The part of the `audit_events` table that says which call has led to something. */
import type { Database } from '../db/database.ts'

/** The id of the last of these calls that has changed something of the name. */
export async function findRequestBehind(
  db: Database,
  { name, actions }: { readonly name: string; readonly actions: readonly string[] },
): Promise<string | undefined> {
  if (actions.length === 0) return undefined
  const row = await db
    .selectFrom('audit_resources')
    .innerJoin('audit_events', 'audit_events.sequence', 'audit_resources.sequence')
    .select('request_id')
    .where('audit_resources.name', '=', name)
    .where('audit_events.action', 'in', actions)
    .where('audit_events.outcome', '=', 'Success')
    .orderBy('audit_resources.sequence', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.request_id
}
