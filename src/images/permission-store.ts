/** The `image_permissions` table. That everyone may launch an image stands with the image too. */
import { sql } from 'kysely'
import { toFlag } from '../db/columns.ts'
import type { Database, Tx } from '../db/database.ts'
import type { Id } from '../lib/ids.ts'
import { imageUnavailable } from './image.ts'
import { everyone, type LaunchPermission } from './launch-permission.ts'

export async function listLaunchPermissions(
  db: Database,
  imageId: Id<'image'>,
): Promise<readonly LaunchPermission[]> {
  return await db
    .selectFrom('image_permissions')
    .select(['kind', 'grantee'])
    .where('image_id', '=', imageId)
    .orderBy('kind')
    .orderBy('grantee')
    .execute()
}

/**
 * Shares an image, which has to be available still. When it becomes public, it is
 * deprecated by `deprecatesBy` at the latest.
 */
export async function addLaunchPermissions(
  tx: Tx,
  imageId: Id<'image'>,
  permissions: readonly LaunchPermission[],
  deprecatesBy?: Date,
): Promise<void> {
  if (permissions.length === 0) return
  // First of all the row is locked, so that nobody disables the image meanwhile.
  const { numUpdatedRows } = await tx
    .updateTable('images')
    .set({ state: 'available' })
    .where('id', '=', imageId)
    .where('state', '=', 'available')
    .executeTakeFirst()
  if (numUpdatedRows !== 1n) throw imageUnavailable(imageId)
  await tx
    .insertInto('image_permissions')
    .values(permissions.map((permission) => ({ image_id: imageId, ...permission })))
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  await notePublic(tx, imageId)
  if (!deprecatesBy || !permissions.some(isEveryone)) return
  const limit = deprecatesBy.getTime()
  await tx
    .updateTable('images')
    .set({
      deprecates_at_ms: sql<number>`CASE WHEN deprecates_at_ms <= ${limit} THEN deprecates_at_ms ELSE ${limit} END`,
    })
    .where('id', '=', imageId)
    .execute()
}

/** Takes some permissions back, or all of them where none are named. Tells whether there were any. */
export async function removeLaunchPermissions(
  tx: Tx,
  imageId: Id<'image'>,
  permissions?: readonly LaunchPermission[],
): Promise<boolean> {
  const all = tx.deleteFrom('image_permissions').where('image_id', '=', imageId)
  const deletions = permissions
    ? permissions.map(({ kind, grantee }) =>
        all.where('kind', '=', kind).where('grantee', '=', grantee),
      )
    : [all]
  let removed = 0n
  for (const deletion of deletions) removed += (await deletion.executeTakeFirst()).numDeletedRows
  await notePublic(tx, imageId)
  return removed > 0n
}

async function notePublic(tx: Tx, imageId: Id<'image'>): Promise<void> {
  const isPublic = (await listLaunchPermissions(tx, imageId)).some(isEveryone)
  await tx
    .updateTable('images')
    .set({ is_public: toFlag(isPublic) })
    .where('id', '=', imageId)
    .execute()
}

export const isEveryone = ({ kind, grantee }: LaunchPermission): boolean =>
  kind === everyone.kind && grantee === everyone.grantee
