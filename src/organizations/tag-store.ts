/** The `organization_tags` table. Nothing else reads or writes it. */
import type { Database, Tx } from '../db/database.ts'
import type { ResourceTag } from './organization.ts'

/** What is tagged: an account, a unit, the root or a policy. */
interface Resource {
  readonly organizationId: string
  readonly resourceId: string
}

/** The tags of a resource in the order of keys. */
export async function listTags(
  db: Database,
  { organizationId, resourceId }: Resource,
): Promise<readonly ResourceTag[]> {
  return await db
    .selectFrom('organization_tags')
    .select(['key', 'value'])
    .where('organization_id', '=', organizationId)
    .where('resource_id', '=', resourceId)
    .orderBy('key')
    .execute()
}

/** Puts tags on a resource in place of those it has. */
export async function setTags(
  tx: Tx,
  { organizationId, resourceId }: Resource,
  tags: readonly ResourceTag[],
): Promise<void> {
  await tx
    .deleteFrom('organization_tags')
    .where('organization_id', '=', organizationId)
    .where('resource_id', '=', resourceId)
    .execute()
  if (tags.length === 0) return
  const owner = { organization_id: organizationId, resource_id: resourceId }
  await tx
    .insertInto('organization_tags')
    .values(tags.map(({ key, value }) => ({ ...owner, key, value })))
    .execute()
}

/** Forgets all tags of an organization that ends. */
export async function deleteAllTags(tx: Tx, organizationId: string): Promise<void> {
  await tx.deleteFrom('organization_tags').where('organization_id', '=', organizationId).execute()
}
