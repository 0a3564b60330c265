/** The `instance_profile_associations` table. Nothing else reads or writes it. */
import type { Selectable } from 'kysely'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { Id } from '../lib/ids.ts'
import type { Owner } from '../lib/owner.ts'
import type { Association } from './association.ts'

/** Stores an association. Tells whether the instance had none. */
export async function insertAssociation(tx: Tx, association: Association): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('instance_profile_associations')
    .values({
      id: association.id,
      account_id: association.accountId,
      region: association.region,
      instance_id: association.instanceId,
      profile_id: association.profileId,
      profile_arn: association.profileArn,
      made_at_ms: association.madeAt.getTime(),
    })
    .onConflict((conflict) => conflict.column('instance_id').doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

/** What an account has in a Region, in the order of ids. */
export async function listAssociations(
  db: Database,
  { accountId, region }: Owner,
): Promise<readonly Association[]> {
  const rows = await db
    .selectFrom('instance_profile_associations')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('region', '=', region)
    .orderBy('id')
    .execute()
  return rows.map(fromRow)
}

export async function findAssociationOf(
  db: Database,
  instanceId: Id<'instance'>,
): Promise<Association | undefined> {
  const row = await db
    .selectFrom('instance_profile_associations')
    .selectAll()
    .where('instance_id', '=', instanceId)
    .executeTakeFirst()
  return row && fromRow(row)
}

/** Ends an association. Tells whether it was there. */
export async function deleteAssociation(tx: Tx, id: Association['id']): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('instance_profile_associations')
    .where('id', '=', id)
    .executeTakeFirst()
  return numDeletedRows === 1n
}

/** Ends the association of an instance, where it has one. */
export async function deleteAssociationOf(tx: Tx, instanceId: Id<'instance'>): Promise<void> {
  await tx
    .deleteFrom('instance_profile_associations')
    .where('instance_id', '=', instanceId)
    .execute()
}

function fromRow(row: Selectable<Tables['instance_profile_associations']>): Association {
  return {
    id: row.id,
    accountId: row.account_id,
    region: row.region,
    instanceId: row.instance_id,
    profileId: row.profile_id,
    profileArn: row.profile_arn,
    madeAt: new Date(row.made_at_ms),
  }
}
