/** The `tags` table. Nothing else reads or writes it. A tag is seen by the account that put it. */
import { sql } from 'kysely'
import type { Database, Tx } from '../db/database.ts'
import { inChunks } from '../lib/chunks.ts'
import type { Owner } from '../lib/owner.ts'
import { type ResourceType, sharedTagPrefix, type Tag, tagsMax, tooManyTags } from './tag.ts'

/** One row of `DescribeTags`. */
export interface TagOfResource extends Tag {
  readonly resourceId: string
  readonly resourceType: string
}

interface TagQuery {
  readonly accountId: string
  readonly region?: string
  readonly resourceIds?: readonly string[]
  readonly resourceType?: ResourceType
}

/** What the service itself puts on resources: it does not count, and stays when all tags go. */
const reserved = 'aws:%'

/** Puts tags on a resource; one of the same key gets the new value. */
export async function putTags(
  tx: Tx,
  put: Owner & {
    readonly resourceType: ResourceType
    readonly resourceId: string
    readonly tags: readonly Tag[]
  },
): Promise<void> {
  if (put.tags.length === 0) return
  const rows = put.tags.map(({ key, value }) => ({
    account_id: put.accountId,
    region: put.region,
    resource_id: put.resourceId,
    resource_type: put.resourceType,
    key,
    value,
  }))
  await tx
    .insertInto('tags')
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .columns(['account_id', 'resource_id', 'key'])
        .doUpdateSet((values) => ({ value: values.ref('excluded.value') })),
    )
    .execute()
  const { count } = await tx
    .selectFrom('tags')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('account_id', '=', put.accountId)
    .where('resource_id', '=', put.resourceId)
    .where('key', 'not like', reserved)
    .executeTakeFirstOrThrow()
  if (Number(count) > tagsMax) throw tooManyTags()
}

/** Removes tags: all, those of a key, or those of a key and a value. */
export async function removeTags(
  tx: Tx,
  removed: {
    readonly accountId: string
    readonly resourceId: string
    readonly tags?: readonly { readonly key: string; readonly value?: string | undefined }[]
  },
): Promise<void> {
  const all = tx
    .deleteFrom('tags')
    .where('account_id', '=', removed.accountId)
    .where('resource_id', '=', removed.resourceId)
  if (!removed.tags) return void (await all.where('key', 'not like', reserved).execute())
  for (const { key, value } of removed.tags) {
    const ofKey = all.where('key', '=', key)
    await (value === undefined ? ofKey : ofKey.where('value', '=', value)).execute()
  }
}

/** Forgets a resource that is gone, whoever has tagged it. */
export async function deleteTagsOf(tx: Tx, resourceId: string): Promise<void> {
  await tx.deleteFrom('tags').where('resource_id', '=', resourceId).execute()
}

/** The tags of each resource that has any, by its id; those of one are in the order of their keys. */
export async function listTags(
  db: Database,
  query: TagQuery,
): Promise<ReadonlyMap<string, readonly Tag[]>> {
  const found = new Map<string, Tag[]>()
  for (const { resourceId, key, value } of await listTagsOfResources(db, query)) {
    const tags = found.get(resourceId)
    if (tags) tags.push({ key, value })
    else found.set(resourceId, [{ key, value }])
  }
  return found
}

/**
 * The resources on which the account has put a tag of that key (and, where some are
 * given, of one of the values), or nothing where there are more than `max`.
 */
export async function listTaggedIds(
  db: Database,
  query: Owner & {
    readonly resourceType: ResourceType
    readonly keys: readonly string[]
    readonly values?: readonly string[] | undefined
    readonly max: number
  },
): Promise<readonly string[] | undefined> {
  const { accountId, region, resourceType, keys, values, max } = query
  let rows = db
    .selectFrom('tags')
    .select('resource_id')
    .distinct()
    .where('account_id', '=', accountId)
    .where('region', '=', region)
    .where('resource_type', '=', resourceType)
    .where('key', 'in', keys)
    .limit(max + 1)
  if (values) rows = rows.where('value', 'in', values)
  const ids = (await rows.execute()).map((row) => row.resource_id)
  return ids.length > max ? undefined : ids
}

/** The tags of resources that their owners show to others, by the resource's id. */
export async function listSharedTags(
  db: Database,
  resources: readonly { readonly id: string; readonly accountId: string }[],
): Promise<ReadonlyMap<string, readonly Tag[]>> {
  const found = new Map<string, Tag[]>()
  const owners = new Map(resources.map(({ id, accountId }) => [id, accountId]))
  for (const ids of inChunks([...owners.keys()])) {
    const pairs = ids.map((id) => sql`(${owners.get(id)}, ${id})`)
    const rows = await db
      .selectFrom('tags')
      .select(['resource_id', 'key', 'value'])
      .where(sql<boolean>`(account_id, resource_id) IN (VALUES ${sql.join(pairs)})`)
      .where(sql<boolean>`substr(key, 1, ${sharedTagPrefix.length}) = ${sharedTagPrefix}`)
      .execute()
    for (const { resource_id, key, value } of rows) {
      found.set(resource_id, [...(found.get(resource_id) ?? []), { key, value }])
    }
  }
  return found
}

/** All tags, in the order of resource and key. */
export async function listTagsOfResources(
  db: Database,
  query: TagQuery,
): Promise<readonly TagOfResource[]> {
  const { resourceIds } = query
  if (!resourceIds) return await select(db, query, undefined)
  const found: TagOfResource[] = []
  for (const ids of inChunks(resourceIds)) found.push(...(await select(db, query, ids)))
  return found
}

async function select(
  db: Database,
  { accountId, region, resourceType }: TagQuery,
  ids: readonly string[] | undefined,
): Promise<TagOfResource[]> {
  let rows = db.selectFrom('tags').selectAll().where('account_id', '=', accountId)
  if (region !== undefined) rows = rows.where('region', '=', region)
  if (resourceType !== undefined) rows = rows.where('resource_type', '=', resourceType)
  if (ids) rows = rows.where('resource_id', 'in', ids)
  return (await rows.orderBy('resource_id').orderBy('key').execute()).map((row) => ({
    resourceId: row.resource_id,
    resourceType: row.resource_type,
    key: row.key,
    value: row.value,
  }))
}
