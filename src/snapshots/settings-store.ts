/** The `snapshot_settings` table. Where it has no row, an account still has what it began with. */
import type { Database, Tx } from '../db/database.ts'
import type { Owner } from '../lib/owner.ts'
import { firstPublicAccess, type PublicAccess } from './public-access.ts'

export async function findPublicAccess(db: Database, owner: Owner): Promise<PublicAccess> {
  const row = await db
    .selectFrom('snapshot_settings')
    .select('public_access')
    .where('account_id', '=', owner.accountId)
    .where('region', '=', owner.region)
    .executeTakeFirst()
  return row?.public_access ?? firstPublicAccess
}

export async function setPublicAccess(tx: Tx, owner: Owner, to: PublicAccess): Promise<void> {
  await tx
    .insertInto('snapshot_settings')
    .values({ account_id: owner.accountId, region: owner.region, public_access: to })
    .onConflict((conflict) =>
      conflict.columns(['account_id', 'region']).doUpdateSet({ public_access: to }),
    )
    .execute()
}
