/** The parts of the tables of images that an inventory is made of. */
import type { Database } from '../db/database.ts'
import { inChunks } from '../lib/chunks.ts'
import type { Id } from '../lib/ids.ts'
import type { LaunchPermission } from './launch-permission.ts'

const there = ['pending', 'available', 'failed', 'disabled', 'recycled'] as const

/** Which images lie on which snapshots: those that are there, also in the Recycle Bin. */
export async function listImageDisks(
  db: Database,
): Promise<readonly { readonly snapshotId: Id<'snapshot'>; readonly imageId: Id<'image'> }[]> {
  const rows = await db
    .selectFrom('image_snapshots')
    .innerJoin('images', 'images.id', 'image_snapshots.image_id')
    .select(['image_snapshots.snapshot_id', 'image_snapshots.image_id'])
    .where('images.state', 'in', there)
    .execute()
  return rows.map((row) => ({ snapshotId: row.snapshot_id, imageId: row.image_id }))
}

/**
 * The next images of an account in a Region, or of all accounts, in the order of ids; and of
 * `others`, whoever has them and whether they are still there.
 */
export async function listInventoryIds(
  db: Database,
  query: {
    readonly accountId: string | undefined
    readonly region: string
    readonly others: readonly Id<'image'>[]
    readonly after: string | undefined
    readonly limit: number
  },
): Promise<readonly Id<'image'>[]> {
  const { accountId, region, others, after = '', limit } = query
  const rows = await db
    .selectFrom('images')
    .select('id')
    .where('region', '=', region)
    .where('state', 'in', there)
    .$if(accountId !== undefined, (select) => select.where('account_id', '=', accountId ?? ''))
    .where('id', '>', after as Id<'image'>)
    .orderBy('id')
    .limit(limit)
    .execute()
  const ids = new Set([...rows.map(({ id }) => id), ...others.filter((id) => id > after)])
  return [...ids].sort((one, other) => (one < other ? -1 : 1)).slice(0, limit)
}

/** Who may launch each of some images beside its owner. */
export async function listPermissionsOf(
  db: Database,
  imageIds: readonly Id<'image'>[],
): Promise<ReadonlyMap<Id<'image'>, readonly LaunchPermission[]>> {
  const found = new Map<Id<'image'>, LaunchPermission[]>()
  for (const ids of inChunks(imageIds)) {
    const rows = await db
      .selectFrom('image_permissions')
      .selectAll()
      .where('image_id', 'in', ids)
      .orderBy('kind')
      .orderBy('grantee')
      .execute()
    for (const { image_id: id, kind, grantee } of rows) {
      found.set(id, [...(found.get(id) ?? []), { kind, grantee }])
    }
  }
  return found
}

/** Which images were made of each of some: copies of them that are there. */
export async function listChildrenOf(
  db: Database,
  imageIds: readonly Id<'image'>[],
): Promise<
  readonly {
    readonly id: Id<'image'>
    readonly parentId: Id<'image'>
    readonly accountId: string
  }[]
> {
  const found = []
  for (const ids of inChunks(imageIds)) {
    const rows = await db
      .selectFrom('images')
      .select(['id', 'source_image_id', 'account_id'])
      .where('source_image_id', 'in', ids)
      .where('state', 'in', there)
      .orderBy('id')
      .execute()
    for (const { id, source_image_id: parentId, account_id: accountId } of rows) {
      if (parentId !== null) found.push({ id, parentId, accountId })
    }
  }
  return found
}
