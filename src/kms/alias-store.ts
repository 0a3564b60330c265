/** The `kms_aliases` table. Nothing else reads or writes it. */
import type { Selectable } from 'kysely'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { Alias } from './alias.ts'
import type { Place } from './key.ts'

type AliasKey = Place & Pick<Alias, 'name'>

/** Takes a name for a key. Tells whether it was free. */
export async function insertAlias(tx: Tx, alias: Alias): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('kms_aliases')
    .values({
      ...columns(alias),
      key_id: alias.keyId,
      created_at_ms: alias.createdAt.getTime(),
      updated_at_ms: alias.updatedAt.getTime(),
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

export async function findAlias(db: Database, key: AliasKey): Promise<Alias | undefined> {
  const row = await db
    .selectFrom('kms_aliases')
    .selectAll()
    .where((where) => where.and(columns(key)))
    .executeTakeFirst()
  return row && fromRow(row)
}

/** The aliases of an account in a Region, by name. */
export async function listAliasesOf(db: Database, place: Place): Promise<readonly Alias[]> {
  const rows = await db
    .selectFrom('kms_aliases')
    .selectAll()
    .where('account_id', '=', place.accountId)
    .where('region', '=', place.region)
    .execute()
  // The databases do not agree on how to sort names.
  return rows.map(fromRow).sort((a, b) => (a.name < b.name ? -1 : 1))
}

export async function countAliasesOfKey(db: Database, keyId: string): Promise<number> {
  const { count } = await db
    .selectFrom('kms_aliases')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('key_id', '=', keyId)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** Puts an alias on another key. */
export async function setAliasKey(
  tx: Tx,
  alias: Pick<Alias, 'accountId' | 'region' | 'name' | 'keyId' | 'updatedAt'>,
): Promise<void> {
  await tx
    .updateTable('kms_aliases')
    .set({ key_id: alias.keyId, updated_at_ms: alias.updatedAt.getTime() })
    .where((where) => where.and(columns(alias)))
    .execute()
}

export async function deleteAliasRow(tx: Tx, key: AliasKey): Promise<void> {
  await tx
    .deleteFrom('kms_aliases')
    .where((where) => where.and(columns(key)))
    .execute()
}

export async function deleteAliasesOfKey(tx: Tx, keyId: string): Promise<void> {
  await tx.deleteFrom('kms_aliases').where('key_id', '=', keyId).execute()
}

const columns = ({ accountId, region, name }: AliasKey) => ({
  account_id: accountId,
  region,
  name,
})

function fromRow(row: Selectable<Tables['kms_aliases']>): Alias {
  return {
    accountId: row.account_id,
    region: row.region,
    name: row.name,
    keyId: row.key_id,
    createdAt: new Date(row.created_at_ms),
    updatedAt: new Date(row.updated_at_ms),
  }
}
