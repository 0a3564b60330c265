/** The `freezes` table. Nothing else reads or writes it. */
import assert from 'node:assert/strict'
import type { Selectable } from 'kysely'
import { toFlag } from '../db/columns.ts'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { Id } from '../lib/ids.ts'
import { type Freeze, type FreezeId, isFreezeId } from './freeze.ts'

export async function insertFreeze(tx: Tx, freeze: Freeze): Promise<void> {
  await tx
    .insertInto('freezes')
    .values({
      id: freeze.id,
      instance_id: freeze.instanceId ?? null,
      with_reboot: toFlag(freeze.withReboot),
      state: freeze.state,
      wanted_at_ms: freeze.wantedAt.getTime(),
    })
    .execute()
}

export async function findFreeze(db: Database, id: FreezeId): Promise<Freeze | undefined> {
  const row = await db.selectFrom('freezes').selectAll().where('id', '=', id).executeTakeFirst()
  return row && fromRow(row)
}

/** The freezes that are owed, in the order in which they were asked for. */
export async function listWantedFreezes(
  db: Database,
  query: { readonly instanceId?: Id<'instance'> } = {},
): Promise<readonly Freeze[]> {
  const { instanceId } = query
  const rows = await db
    .selectFrom('freezes')
    .selectAll()
    .where('state', '=', 'wanted')
    .$if(instanceId !== undefined, (select) => select.where('instance_id', '=', instanceId ?? null))
    .orderBy('wanted_at_ms')
    .orderBy('id')
    .execute()
  return rows.map(fromRow)
}

/** Hands a freeze that is still wanted to the reconciler of the instance that has its volumes. */
export async function handFreezeTo(
  tx: Tx,
  freeze: { readonly id: FreezeId; readonly instanceId: Id<'instance'> },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('freezes')
    .set({ instance_id: freeze.instanceId })
    .where('id', '=', freeze.id)
    .where('state', '=', 'wanted')
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Tells whether it was still wanted. */
export async function finishFreeze(tx: Tx, id: FreezeId): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('freezes')
    .set({ state: 'done' })
    .where('id', '=', id)
    .where('state', '=', 'wanted')
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

function fromRow(row: Selectable<Tables['freezes']>): Freeze {
  return {
    id: parseFreezeId(row.id),
    instanceId: row.instance_id ?? undefined,
    withReboot: row.with_reboot === 1,
    state: row.state,
    wantedAt: new Date(row.wanted_at_ms),
  }
}

function parseFreezeId(text: string): FreezeId {
  assert(isFreezeId(text), `not a freeze: ${text}`)
  return text
}
