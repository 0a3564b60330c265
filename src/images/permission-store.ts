/** The `image_permissions` table. That everyone may launch an image stands with the image too. */
import type { Database, Tx } from '../db/database.ts'
import type { Id } from '../lib/ids.ts'
import { everyone, type LaunchPermission } from './launch-permission.ts'
import { setImagePublic } from './store.ts'

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

export async function addLaunchPermissions(
  tx: Tx,
  imageId: Id<'image'>,
  permissions: readonly LaunchPermission[],
): Promise<void> {
  if (permissions.length === 0) return
  await tx
    .insertInto('image_permissions')
    .values(permissions.map((permission) => ({ image_id: imageId, ...permission })))
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  await notePublic(tx, imageId)
}

/** Takes some permissions back, or all of them where none are named. */
export async function removeLaunchPermissions(
  tx: Tx,
  imageId: Id<'image'>,
  permissions?: readonly LaunchPermission[],
): Promise<void> {
  const all = tx.deleteFrom('image_permissions').where('image_id', '=', imageId)
  if (!permissions) await all.execute()
  for (const { kind, grantee } of permissions ?? []) {
    await all.where('kind', '=', kind).where('grantee', '=', grantee).execute()
  }
  await notePublic(tx, imageId)
}

async function notePublic(tx: Tx, imageId: Id<'image'>): Promise<void> {
  const permissions = await listLaunchPermissions(tx, imageId)
  const isPublic = permissions.some(
    ({ kind, grantee }) => kind === everyone.kind && grantee === everyone.grantee,
  )
  await setImagePublic(tx, { id: imageId, isPublic })
}
