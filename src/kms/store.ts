/** The `kms_keys` and `kms_materials` tables. Nothing else reads or writes them. */
import type { Insertable, Selectable } from 'kysely'
import { toDate } from '../db/columns.ts'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { Sealer } from '../lib/seal.ts'
import type { Tag } from '../tags/tag.ts'
import type { Material } from './blob.ts'
import type { Key, KeyState, Place } from './key.ts'

/** Material is only ever stored sealed, and opens only as that of its own key. */
const contextOf = (keyId: string, version: number): string => `kms/${keyId}/${version}`

/** Stores a new key with its first material. */
export async function insertKey(
  tx: Tx,
  key: Key,
  material: Material,
  sealer: Sealer,
): Promise<void> {
  const { version, bytes } = material
  const sealed = sealer.seal(bytes, contextOf(key.id, version))
  await tx.insertInto('kms_keys').values(toRow(key)).execute()
  await tx
    .insertInto('kms_materials')
    .values({ key_id: key.id, version, sealed: Buffer.from(sealed).toString('base64') })
    .execute()
}

/** Takes back a key that was just made. */
export async function deleteNewKey(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('kms_materials').where('key_id', '=', id).execute()
  await tx.deleteFrom('kms_keys').where('id', '=', id).execute()
}

export async function findKey(
  db: Database,
  { accountId, region, id }: Place & Pick<Key, 'id'>,
): Promise<Key | undefined> {
  const row = await db
    .selectFrom('kms_keys')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('region', '=', region)
    .where('id', '=', id)
    .executeTakeFirst()
  return row && fromRow(row)
}

/** The key of a Region, whosoever it is. */
export async function findKeyIn(
  db: Database,
  { region, id }: Pick<Key, 'region' | 'id'>,
): Promise<Key | undefined> {
  const row = await db
    .selectFrom('kms_keys')
    .selectAll()
    .where('region', '=', region)
    .where('id', '=', id)
    .executeTakeFirst()
  return row && fromRow(row)
}

/** The keys of an account in a Region, by id. */
export async function listKeysOf(db: Database, place: Place): Promise<readonly Key[]> {
  const rows = await db
    .selectFrom('kms_keys')
    .selectAll()
    .where('account_id', '=', place.accountId)
    .where('region', '=', place.region)
    .orderBy('id')
    .execute()
  return rows.flatMap((row) => fromRow(row) ?? [])
}

/** Opens a material of a key: the one of a version, or the newest. Nothing where it is erased. */
export async function findMaterial(
  db: Database,
  query: { readonly keyId: string; readonly version?: number },
  sealer: Sealer,
): Promise<Material | undefined> {
  let select = db.selectFrom('kms_materials').selectAll().where('key_id', '=', query.keyId)
  if (query.version !== undefined) select = select.where('version', '=', query.version)
  const row = await select.orderBy('version', 'desc').limit(1).executeTakeFirst()
  if (!row) return undefined
  const { key_id: keyId, version, sealed } = row
  const bytes = sealer.open(Buffer.from(sealed, 'base64'), contextOf(keyId, version))
  return { version, bytes }
}

/** Any one material as it is stored, to try the master key on. */
export async function findSealedMaterial(
  db: Database,
): Promise<{ readonly sealed: Uint8Array; readonly context: string } | undefined> {
  const row = await db.selectFrom('kms_materials').selectAll().limit(1).executeTakeFirst()
  if (!row) return undefined
  const sealed = Buffer.from(row.sealed, 'base64')
  return { sealed, context: contextOf(row.key_id, row.version) }
}

/** Gives a key another state, and tells whether it still had the one that it was read with. */
export async function changeKeyState(
  tx: Tx,
  { id, state }: Pick<Key, 'id' | 'state'>,
  next: { readonly state: KeyState; readonly deletesAt: Date | undefined },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('kms_keys')
    .set({ state: next.state, deletes_at_ms: next.deletesAt?.getTime() ?? null })
    .where('id', '=', id)
    .where('state', '=', state)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

export async function setDescription(tx: Tx, id: string, description: string): Promise<void> {
  await tx.updateTable('kms_keys').set({ description }).where('id', '=', id).execute()
}

export async function setKeyTags(tx: Tx, id: string, tags: readonly Tag[]): Promise<void> {
  const text = JSON.stringify(tags)
  await tx.updateTable('kms_keys').set({ tags: text }).where('id', '=', id).execute()
}

export async function setKeyPolicy(tx: Tx, id: string, policy: string): Promise<void> {
  await tx.updateTable('kms_keys').set({ policy }).where('id', '=', id).execute()
}

/** The keys whose day has come, and those that are not quite gone yet. */
export async function listKeysToErase(db: Database, now: Date): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('kms_keys')
    .select('id')
    .where((where) =>
      where.or([
        where('state', '=', 'erased'),
        where.and([
          where('state', '=', 'pending-deletion'),
          where('deletes_at_ms', '<=', now.getTime()),
        ]),
      ]),
    )
    .orderBy('id')
    .execute()
  return rows.map(({ id }) => id)
}

/** Takes the material of a key whose day has come, and tells which it was; nothing where it had not. */
export async function eraseKey(
  tx: Tx,
  id: string,
  now: Date,
): Promise<(Place & Pick<Key, 'id'>) | undefined> {
  const row = await tx
    .updateTable('kms_keys')
    .set({ state: 'erased', description: '', tags: '[]' })
    .where('id', '=', id)
    .where('state', '=', 'pending-deletion')
    .where('deletes_at_ms', '<=', now.getTime())
    .returning(['account_id', 'region'])
    .executeTakeFirst()
  if (!row) return undefined
  await tx.deleteFrom('kms_materials').where('key_id', '=', id).execute()
  return { id, accountId: row.account_id, region: row.region }
}

/** Removes the last of an erased key. */
export async function deleteErased(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('kms_keys').where('id', '=', id).where('state', '=', 'erased').execute()
}

function toRow(key: Key): Insertable<Tables['kms_keys']> {
  return {
    id: key.id,
    account_id: key.accountId,
    region: key.region,
    manager: key.manager,
    description: key.description,
    state: key.state,
    deletes_at_ms: key.deletesAt?.getTime() ?? null,
    created_at_ms: key.createdAt.getTime(),
    tags: JSON.stringify(key.tags),
    policy: key.policy ?? null,
  }
}

/** An erased key is none. */
function fromRow(row: Selectable<Tables['kms_keys']>): Key | undefined {
  if (row.state === 'erased') return undefined
  return {
    id: row.id,
    accountId: row.account_id,
    region: row.region,
    manager: row.manager,
    description: row.description,
    state: row.state,
    deletesAt: toDate(row.deletes_at_ms),
    createdAt: new Date(row.created_at_ms),
    tags: JSON.parse(row.tags) as readonly Tag[],
    ...(row.policy !== null && { policy: row.policy }),
  }
}
