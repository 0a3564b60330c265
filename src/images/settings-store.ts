/** The `image_settings` table. Where it has no row, an account still has what it began with. */
import type { Database, Tx } from '../db/database.ts'
import type { Owner } from '../lib/owner.ts'
import type { Criterion } from './criterion.ts'
import { firstSettings, type ImageSettings } from './image-settings.ts'

export async function findImageSettings(db: Database, owner: Owner): Promise<ImageSettings> {
  const row = await db
    .selectFrom('image_settings')
    .selectAll()
    .where('account_id', '=', owner.accountId)
    .where('region', '=', owner.region)
    .executeTakeFirst()
  if (!row) return firstSettings
  return {
    publicAccess: row.public_access,
    allowedState: row.allowed_state,
    criteria: JSON.parse(row.allowed_criteria) as readonly Criterion[],
  }
}

/** Changes some settings; the others stay as they are, whoever is changing them now. */
export async function changeImageSettings(
  tx: Tx,
  owner: Owner,
  change: Partial<ImageSettings>,
): Promise<void> {
  const { publicAccess, allowedState, criteria } = change
  const changed = {
    ...(publicAccess && { public_access: publicAccess }),
    ...(allowedState && { allowed_state: allowedState }),
    ...(criteria && { allowed_criteria: JSON.stringify(criteria) }),
  }
  await tx
    .insertInto('image_settings')
    .values({
      account_id: owner.accountId,
      region: owner.region,
      public_access: firstSettings.publicAccess,
      allowed_state: firstSettings.allowedState,
      allowed_criteria: JSON.stringify(firstSettings.criteria),
      ...changed,
    })
    .onConflict((conflict) => conflict.columns(['account_id', 'region']).doUpdateSet(changed))
    .execute()
}
