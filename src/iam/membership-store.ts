/**
 * The `iam_members` table: which users are in a group, and which role is in an instance
 * profile. Nothing else reads or writes it.
 */
import type { Database, Tx } from '../db/database.ts'

/** A user in a group, or a role in an instance profile. */
export interface Membership {
  readonly holderId: string
  readonly memberId: string
}

/** Tells whether it was not in there before. */
export async function addMember(tx: Tx, { holderId, memberId }: Membership): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('iam_members')
    .values({ holder_id: holderId, member_id: memberId })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

/** Tells whether it was in there. */
export async function removeMember(tx: Tx, { holderId, memberId }: Membership): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('iam_members')
    .where('holder_id', '=', holderId)
    .where('member_id', '=', memberId)
    .executeTakeFirst()
  return numDeletedRows === 1n
}

/** The groups of a user, or the instance profiles that a role is in. */
export async function listHolders(db: Database, memberId: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('iam_members')
    .select('holder_id')
    .where('member_id', '=', memberId)
    .orderBy('holder_id')
    .execute()
  return rows.map((row) => row.holder_id)
}

/** The users of a group, or the role of an instance profile. */
export async function listMembers(db: Database, holderId: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('iam_members')
    .select('member_id')
    .where('holder_id', '=', holderId)
    .orderBy('member_id')
    .execute()
  return rows.map((row) => row.member_id)
}
