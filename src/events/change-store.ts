/** The `state_changes` table, which the database itself writes: what is still to be told. */
import type { Database, Tx } from '../db/database.ts'
import type { StateChange } from './state-change.ts'

export async function hasChanges(db: Database): Promise<boolean> {
  const row = await db.selectFrom('state_changes').select('sequence').limit(1).executeTakeFirst()
  return row !== undefined
}

/** Whether there is a change of one of some resources, beside those given. */
export async function hasChangeOf(
  db: Database,
  {
    kind,
    ids,
    except,
  }: {
    readonly kind: StateChange['kind']
    readonly ids: readonly string[]
    readonly except: readonly StateChange[]
  },
): Promise<boolean> {
  const rows = await db
    .selectFrom('state_changes')
    .select('sequence')
    .where('kind', '=', kind)
    .where('resource_id', 'in', ids)
    .execute()
  const known = new Set(except.map(({ sequence }) => sequence))
  return rows.some(({ sequence }) => !known.has(sequence))
}

/** The first ones, in the order in which those of one resource were made. */
export async function listChanges(db: Database, limit: number): Promise<readonly StateChange[]> {
  const rows = await db
    .selectFrom('state_changes')
    .selectAll()
    .orderBy('sequence')
    .limit(limit)
    .execute()
  return rows.map((row) => ({
    sequence: row.sequence,
    kind: row.kind,
    resourceId: row.resource_id,
    accountId: row.account_id,
    region: row.region,
    state: row.state,
    facts: JSON.parse(row.facts) as StateChange['facts'],
    at: new Date(row.at_ms),
  }))
}

export async function forgetChanges(tx: Tx, changes: readonly StateChange[]): Promise<void> {
  const sequences = changes.map(({ sequence }) => sequence)
  if (sequences.length === 0) return
  await tx.deleteFrom('state_changes').where('sequence', 'in', sequences).execute()
}
