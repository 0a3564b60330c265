/** The `key_pairs` table. Nothing else reads or writes it. */
import type { Selectable } from 'kysely'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { Id } from '../lib/ids.ts'
import type { Owner } from '../lib/owner.ts'
import { type KeyPair, keyPairExists } from './key-pair.ts'

/** Throws `InvalidKeyPair.Duplicate` where the name is taken. */
export async function insertKeyPair(tx: Tx, pair: KeyPair): Promise<void> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('key_pairs')
    .values({
      id: pair.id,
      account_id: pair.accountId,
      region: pair.region,
      name: pair.name,
      type: pair.type,
      fingerprint: pair.fingerprint,
      public_key: pair.publicKey,
      created_at_ms: pair.createdAt.getTime(),
    })
    .onConflict((conflict) => conflict.columns(['account_id', 'region', 'name']).doNothing())
    .executeTakeFirst()
  if (numInsertedOrUpdatedRows !== 1n) throw keyPairExists(pair.name)
}

export async function findKeyPair(
  db: Database,
  query: Owner & { readonly name: string },
): Promise<KeyPair | undefined> {
  const row = await db
    .selectFrom('key_pairs')
    .selectAll()
    .where('account_id', '=', query.accountId)
    .where('region', '=', query.region)
    .where('name', '=', query.name)
    .executeTakeFirst()
  return row && fromRow(row)
}

/** The key pairs of an account in a Region, in the order of ids. */
export async function listKeyPairs(db: Database, owner: Owner): Promise<readonly KeyPair[]> {
  const rows = await db
    .selectFrom('key_pairs')
    .selectAll()
    .where('account_id', '=', owner.accountId)
    .where('region', '=', owner.region)
    .orderBy('id')
    .execute()
  return rows.map(fromRow)
}

export async function deleteKeyPairRow(tx: Tx, id: Id<'key-pair'>): Promise<void> {
  await tx.deleteFrom('key_pairs').where('id', '=', id).execute()
}

function fromRow(row: Selectable<Tables['key_pairs']>): KeyPair {
  return {
    id: row.id,
    accountId: row.account_id,
    region: row.region,
    name: row.name,
    type: row.type,
    fingerprint: row.fingerprint,
    publicKey: row.public_key,
    createdAt: new Date(row.created_at_ms),
  }
}
