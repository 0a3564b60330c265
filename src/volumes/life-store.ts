/** The Recycle Bin's part of the `volumes` table: each change is a compare-and-set that tells whether it took place. */
import type { Database, Tx } from '../db/database.ts'
import type { Id } from '../lib/ids.ts'
import type { Owner } from '../lib/owner.ts'
import { listRecycled } from './store.ts'
import type { Volume } from './volume.ts'

/** Moves a volume that nobody has into the Recycle Bin. It keeps its layers. */
export async function recycleVolume(
  tx: Tx,
  id: Id<'volume'>,
  { at, exitAt }: { readonly at: Date; readonly exitAt: Date },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('volumes')
    .set({ recycled_at_ms: at.getTime(), recycle_exit_at_ms: exitAt.getTime() })
    .where('id', '=', id)
    .where('state', '=', 'available')
    .where('recycled_at_ms', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Takes a volume out of the Recycle Bin again. */
export async function restoreRecycledVolume(tx: Tx, id: Id<'volume'>): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('volumes')
    .set({ recycled_at_ms: null, recycle_exit_at_ms: null })
    .where('id', '=', id)
    .where('recycled_at_ms', 'is not', null)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Deletes a volume whose time in the Recycle Bin is over. */
export async function expireVolume(tx: Tx, id: Id<'volume'>, now: Date): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('volumes')
    .set({ state: 'deleting', recycled_at_ms: null, recycle_exit_at_ms: null })
    .where('id', '=', id)
    .where('recycle_exit_at_ms', '<=', now.getTime())
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** What an account has in the Recycle Bin of a Region, by id. */
export async function listRecycledVolumes(
  db: Database,
  query: Owner & {
    readonly ids?: readonly Id<'volume'>[] | undefined
  },
): Promise<readonly Volume[]> {
  const { accountId, region, ids } = query
  const all = await listRecycled(db)
  return all.filter(
    (volume) =>
      volume.accountId === accountId &&
      volume.region === region &&
      (!ids || ids.includes(volume.id)),
  )
}

/** The volumes whose time in the Recycle Bin is over. */
export async function listExpiredVolumeIds(
  db: Database,
  now: Date,
): Promise<readonly Id<'volume'>[]> {
  const rows = await db
    .selectFrom('volumes')
    .select('id')
    .where('recycle_exit_at_ms', '<=', now.getTime())
    .execute()
  return rows.map(({ id }) => id)
}
