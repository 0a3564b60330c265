/** The `fast_launch_images` and `fast_launch_reserves` tables. Nothing else reads or writes them. */
import type { Selectable } from 'kysely'
import { toFlag } from '../db/columns.ts'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { Id } from '../lib/ids.ts'
import type { Owner } from '../lib/owner.ts'
import type { FastLaunch, FastLaunchKey, FastLaunchState, Reserve } from './fast-launch.ts'

/** Records what was not there yet; nothing where it was. */
export async function insertFastLaunch(tx: Tx, fastLaunch: FastLaunch): Promise<void> {
  await tx
    .insertInto('fast_launch_images')
    .values({
      image_id: fastLaunch.imageId,
      account_id: fastLaunch.accountId,
      region: fastLaunch.region,
      state: fastLaunch.state,
      state_since_ms: fastLaunch.stateSince.getTime(),
      reason: fastLaunch.reason,
      target_count: fastLaunch.targetCount,
      parallel_max: fastLaunch.parallelMax,
      is_forced: toFlag(fastLaunch.isForced),
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

export async function findFastLaunch(
  db: Database,
  { imageId, accountId }: FastLaunchKey,
): Promise<FastLaunch | undefined> {
  const row = await db
    .selectFrom('fast_launch_images')
    .selectAll()
    .where('image_id', '=', imageId)
    .where('account_id', '=', accountId)
    .executeTakeFirst()
  return row && fromRow(row)
}

/** All, or those that an account has in a Region, by image. */
export async function listFastLaunches(
  db: Database,
  owner?: Owner,
): Promise<readonly FastLaunch[]> {
  let select = db.selectFrom('fast_launch_images').selectAll().orderBy('image_id')
  if (owner) {
    select = select.where('account_id', '=', owner.accountId).where('region', '=', owner.region)
  }
  return (await select.execute()).map(fromRow)
}

export interface FastLaunchChange {
  readonly state: FastLaunchState
  readonly stateSince: Date
  readonly reason: string
  readonly targetCount?: number
  readonly parallelMax?: number
  readonly isForced?: boolean
}

/** Goes on from the state that was seen. Tells whether it still was that. */
export async function changeFastLaunch(
  tx: Tx,
  seen: FastLaunch,
  to: FastLaunchChange,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('fast_launch_images')
    .set({
      state: to.state,
      state_since_ms: to.stateSince.getTime(),
      reason: to.reason,
      ...(to.targetCount !== undefined && { target_count: to.targetCount }),
      ...(to.parallelMax !== undefined && { parallel_max: to.parallelMax }),
      ...(to.isForced !== undefined && { is_forced: toFlag(to.isForced) }),
    })
    .where('image_id', '=', seen.imageId)
    .where('account_id', '=', seen.accountId)
    .where('state', '=', seen.state)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

export async function deleteFastLaunch(tx: Tx, { imageId, accountId }: FastLaunchKey) {
  await tx
    .deleteFrom('fast_launch_images')
    .where('image_id', '=', imageId)
    .where('account_id', '=', accountId)
    .where('state', '=', 'disabling')
    .execute()
}

export async function insertReserve(tx: Tx, reserve: Reserve): Promise<void> {
  await tx
    .insertInto('fast_launch_reserves')
    .values({
      instance_id: reserve.instanceId,
      image_id: reserve.imageId,
      account_id: reserve.accountId,
      state: reserve.state,
      snapshot_id: reserve.snapshotId ?? null,
      begun_at_ms: reserve.begunAt.getTime(),
    })
    .execute()
}

/** Those of an image, of all accounts or of one, the oldest first. */
export async function listReserves(
  db: Database,
  { imageId, accountId }: Pick<FastLaunchKey, 'imageId'> & Partial<FastLaunchKey>,
): Promise<readonly Reserve[]> {
  let select = db
    .selectFrom('fast_launch_reserves')
    .selectAll()
    .where('image_id', '=', imageId)
    .orderBy('begun_at_ms')
    .orderBy('instance_id')
  if (accountId !== undefined) select = select.where('account_id', '=', accountId)
  return (await select.execute()).map(reserveOf)
}

/** Goes on from the state that was seen. Tells whether it still was that. */
export async function changeReserve(
  tx: Tx,
  seen: Reserve,
  to: Pick<Reserve, 'state' | 'snapshotId'>,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('fast_launch_reserves')
    .set({ state: to.state, snapshot_id: to.snapshotId ?? null })
    .where('instance_id', '=', seen.instanceId)
    .where('state', '=', seen.state)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Takes it out of the reserve. Only one who does so is told that it was there. */
export async function deleteReserve(tx: Tx, instanceId: Id<'instance'>): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('fast_launch_reserves')
    .where('instance_id', '=', instanceId)
    .executeTakeFirst()
  return numDeletedRows === 1n
}

function fromRow(row: Selectable<Tables['fast_launch_images']>): FastLaunch {
  return {
    imageId: row.image_id,
    accountId: row.account_id,
    region: row.region,
    state: row.state,
    stateSince: new Date(row.state_since_ms),
    reason: row.reason,
    targetCount: row.target_count,
    parallelMax: row.parallel_max,
    isForced: row.is_forced === 1,
  }
}

function reserveOf(row: Selectable<Tables['fast_launch_reserves']>): Reserve {
  return {
    instanceId: row.instance_id,
    imageId: row.image_id,
    accountId: row.account_id,
    state: row.state,
    snapshotId: row.snapshot_id ?? undefined,
    begunAt: new Date(row.begun_at_ms),
  }
}
