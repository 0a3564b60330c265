/**
 * The `iam_tags` table: the tags of users, roles, policies and instance profiles. Nothing
 * else reads or writes it. Two keys that differ by the case of their letters are one.
 */
import type { Database, Tx } from '../db/database.ts'
import type { Tag } from '../tags/tag.ts'
import { foldName } from './entity.ts'

/** Puts tags on an entity; one of the same key gets the new value, and the new letters. */
export async function putEntityTags(tx: Tx, entityId: string, tags: readonly Tag[]): Promise<void> {
  for (const { key, value } of tags) {
    await tx
      .insertInto('iam_tags')
      .values({ entity_id: entityId, folded_key: foldName(key), key, value })
      .onConflict((conflict) =>
        conflict.columns(['entity_id', 'folded_key']).doUpdateSet({ key, value }),
      )
      .execute()
  }
}

/** Removes the tags of these keys, or all. */
export async function removeEntityTags(
  tx: Tx,
  entityId: string,
  keys?: readonly string[],
): Promise<void> {
  let removed = tx.deleteFrom('iam_tags').where('entity_id', '=', entityId)
  if (keys) removed = removed.where('folded_key', 'in', keys.map(foldName))
  await removed.execute()
}

/** In the order of their keys. */
export async function listEntityTags(db: Database, entityId: string): Promise<readonly Tag[]> {
  const rows = await db
    .selectFrom('iam_tags')
    .select(['key', 'value'])
    .where('entity_id', '=', entityId)
    .orderBy('folded_key')
    .execute()
  return rows.map(({ key, value }) => ({ key, value }))
}
