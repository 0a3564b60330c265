/**
 * The `iam_login_profiles` table: the passwords of users, of which only what scrypt makes of
 * them is kept. Nothing else reads or writes it.
 */
import { toFlag } from '../db/columns.ts'
import type { Database, Tx } from '../db/database.ts'

export interface LoginProfile {
  readonly userId: string
  /** `scrypt:` the salt and the hash, in base64. */
  readonly hash: string
  readonly createdAt: Date
  readonly isResetRequired: boolean
}

/** Tells whether the user had none before. */
export async function insertLoginProfile(tx: Tx, profile: LoginProfile): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('iam_login_profiles')
    .values({
      user_id: profile.userId,
      hash: profile.hash,
      created_at_ms: profile.createdAt.getTime(),
      is_reset_required: toFlag(profile.isResetRequired),
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

export async function findLoginProfile(
  db: Database,
  userId: string,
): Promise<LoginProfile | undefined> {
  const row = await db
    .selectFrom('iam_login_profiles')
    .selectAll()
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return (
    row && {
      userId,
      hash: row.hash,
      createdAt: new Date(row.created_at_ms),
      isResetRequired: row.is_reset_required === 1,
    }
  )
}

/** Changes what is given. Tells whether the user has one. */
export async function changeLoginProfile(
  tx: Tx,
  { userId, hash, isResetRequired }: Pick<LoginProfile, 'userId'> & Partial<LoginProfile>,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('iam_login_profiles')
    .set({
      user_id: userId,
      ...(hash !== undefined && { hash }),
      ...(isResetRequired !== undefined && { is_reset_required: toFlag(isResetRequired) }),
    })
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Tells whether the user had one. */
export async function deleteLoginProfile(tx: Tx, userId: string): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('iam_login_profiles')
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return numDeletedRows === 1n
}
