/**
 * The `iam_user_keys` table: the access keys of users. Secrets are only ever stored sealed,
 * and open only as those of their own key. Nothing else reads or writes it.
 */
import type { Selectable } from 'kysely'
import { toFlag } from '../db/columns.ts'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import { ApiError } from '../lib/errors.ts'
import type { Sealer } from '../lib/seal.ts'
import { Secret } from '../lib/secret.ts'

export interface UserKey {
  readonly id: string
  readonly userId: string
  readonly isActive: boolean
  readonly createdAt: Date
  readonly lastUse: KeyUse | undefined
}

export interface KeyUse {
  readonly at: Date
  readonly service: string
  readonly region: string
}

const contextOf = (keyId: string): string => `iam/access-key/${keyId}`

export async function insertUserKey(
  tx: Tx,
  key: UserKey,
  secret: Secret,
  sealer: Sealer,
): Promise<void> {
  const sealed = sealer.seal(Buffer.from(secret.reveal()), contextOf(key.id))
  await tx
    .insertInto('iam_user_keys')
    .values({
      id: key.id,
      user_id: key.userId,
      sealed: Buffer.from(sealed).toString('base64'),
      is_active: toFlag(key.isActive),
      created_at_ms: key.createdAt.getTime(),
    })
    .execute()
}

/** The key of an id, with its secret. An inactive one too. */
export async function findUserKey(
  db: Database,
  id: string,
  sealer: Sealer,
): Promise<(UserKey & { readonly secret: Secret }) | undefined> {
  const row = await db
    .selectFrom('iam_user_keys')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) return undefined
  const opened = sealer.open(Buffer.from(row.sealed, 'base64'), contextOf(row.id))
  return { ...fromRow(row), secret: new Secret(Buffer.from(opened).toString()) }
}

export async function listUserKeys(db: Database, userId: string): Promise<readonly UserKey[]> {
  const rows = await db
    .selectFrom('iam_user_keys')
    .selectAll()
    .where('user_id', '=', userId)
    .orderBy('created_at_ms')
    .orderBy('id')
    .execute()
  return rows.map(fromRow)
}

/** Tells whether the user has such a key. */
export async function setUserKeyActive(
  tx: Tx,
  { id, userId, isActive }: Pick<UserKey, 'id' | 'userId' | 'isActive'>,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('iam_user_keys')
    .set({ is_active: toFlag(isActive) })
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Tells whether the user had such a key. */
export async function deleteUserKey(
  tx: Tx,
  { id, userId }: Pick<UserKey, 'id' | 'userId'>,
): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('iam_user_keys')
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return numDeletedRows === 1n
}

/** Notes a use, unless a later one is noted already. */
export async function noteKeyUse(
  tx: Tx,
  id: string,
  { at, service, region }: KeyUse,
): Promise<void> {
  await tx
    .updateTable('iam_user_keys')
    .set({ used_at_ms: at.getTime(), used_service: service, used_region: region })
    .where('id', '=', id)
    .where((where) =>
      where.or([where('used_at_ms', 'is', null), where('used_at_ms', '<', at.getTime())]),
    )
    .execute()
}

export const noSuchKey = (id: string): ApiError =>
  new ApiError('NoSuchEntity', `The Access Key with id ${id} cannot be found.`)

function fromRow(row: Selectable<Tables['iam_user_keys']>): UserKey {
  const { used_at_ms: usedAt, used_service: service, used_region: region } = row
  return {
    id: row.id,
    userId: row.user_id,
    isActive: row.is_active === 1,
    createdAt: new Date(row.created_at_ms),
    lastUse:
      usedAt === null || service === null || region === null
        ? undefined
        : { at: new Date(usedAt), service, region },
  }
}
