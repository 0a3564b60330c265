/** What befalls an image after it was made, in the `images` table: each a compare-and-set that tells whether it took place. */
import { toFlag } from '../db/columns.ts'
import type { Database, Tx } from '../db/database.ts'
import type { Id } from '../lib/ids.ts'
import type { Owner } from '../lib/owner.ts'
import type { Image } from './image.ts'
import { findImages } from './store.ts'

/** Deprecates an image, or no longer. Nothing happens where it has become public or private meanwhile. */
export async function setDeprecation(
  tx: Tx,
  { id, isPublic }: Pick<Image, 'id' | 'isPublic'>,
  at: Date | undefined,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('images')
    .set({ deprecates_at_ms: at?.getTime() ?? null })
    .where('id', '=', id)
    .where('is_public', '=', toFlag(isPublic))
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Changes what keeps an image from being deregistered. */
export async function setProtection(
  tx: Tx,
  image: Pick<Image, 'id' | 'protection'>,
  to: Pick<Image, 'protection' | 'protectedUntil'>,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('images')
    .set({
      protection: to.protection,
      protected_until_ms: to.protectedUntil?.getTime() ?? null,
    })
    .where('id', '=', image.id)
    .where('protection', '=', image.protection)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Says for which instance types an image is, or no longer. */
export async function setInstanceTypes(
  tx: Tx,
  { id, state }: Pick<Image, 'id' | 'state'>,
  types: Image['instanceTypes'],
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('images')
    .set({ instance_types: types ? JSON.stringify(types) : null })
    .where('id', '=', id)
    .where('state', '=', state)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** How many images of an instance are under way. */
export async function countPendingOf(db: Database, instanceId: Id<'instance'>): Promise<number> {
  const { count } = await db
    .selectFrom('images')
    .select((of) => of.fn.countAll<number>().as('count'))
    .where('state', '=', 'pending')
    .where('source_instance_id', '=', instanceId)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** Moves an image into the Recycle Bin. */
export async function recycleImage(
  tx: Tx,
  image: Pick<Image, 'id' | 'state'>,
  { at, exitAt }: { readonly at: Date; readonly exitAt: Date },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('images')
    .set({
      state: 'recycled',
      recycled_at_ms: at.getTime(),
      recycle_exit_at_ms: exitAt.getTime(),
    })
    .where('id', '=', image.id)
    .where('state', '=', image.state)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** What an account has in the Recycle Bin of a Region, by id. */
export async function listRecycledImages(
  db: Database,
  query: Owner & {
    readonly ids?: readonly Id<'image'>[] | undefined
  },
): Promise<readonly Image[]> {
  const { accountId, region, ids } = query
  if (ids?.length === 0) return []
  let select = db
    .selectFrom('images')
    .select('id')
    .where('account_id', '=', accountId)
    .where('region', '=', region)
    .where('state', '=', 'recycled')
  if (ids) select = select.where('id', 'in', ids)
  const found = await findImages(
    db,
    (await select.execute()).map(({ id }) => id),
  )
  return found.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

/** The images whose time in the Recycle Bin is over. */
export async function listExpiredImageIds(
  db: Database,
  now: Date,
): Promise<readonly Id<'image'>[]> {
  const rows = await db
    .selectFrom('images')
    .select('id')
    .where('state', '=', 'recycled')
    .where('recycle_exit_at_ms', '<=', now.getTime())
    .execute()
  return rows.map(({ id }) => id)
}
