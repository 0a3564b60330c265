/** The `declared_settings` table. Nothing else writes it. */
import type { Database, Tx } from '../db/database.ts'
import type { Ec2Attributes } from './ec2-attributes.ts'

/** What is declared for an account: nothing, most of the time. */
export async function findDeclared(db: Database, accountId: string): Promise<Ec2Attributes> {
  const row = await db
    .selectFrom('declared_settings')
    .select('attributes')
    .where('account_id', '=', accountId)
    .executeTakeFirst()
  return row ? (JSON.parse(row.attributes) as Ec2Attributes) : {}
}

/** Puts what is declared for all accounts of an organization in place of what was. */
export async function replaceDeclared(
  tx: Tx,
  organizationId: string,
  declared: ReadonlyMap<string, Ec2Attributes>,
): Promise<void> {
  await tx.deleteFrom('declared_settings').where('organization_id', '=', organizationId).execute()
  for (const [accountId, attributes] of declared) {
    await tx
      .insertInto('declared_settings')
      .values({
        account_id: accountId,
        organization_id: organizationId,
        snapshot_public_access: attributes.snapshotPublicAccess ?? null,
        attributes: JSON.stringify(attributes),
      })
      .execute()
  }
}
