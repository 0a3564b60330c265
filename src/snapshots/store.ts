/** The `snapshots` table. Nothing else reads or writes it. */
import assert from 'node:assert/strict'
import type { Insertable, Selectable } from 'kysely'
import type { Database, Tx } from '../db/database.ts'
import { prepared } from '../db/prepared.ts'
import type { Tables } from '../db/schema.ts'
import type { FreezeId } from '../freezes/freeze.ts'
import { type Digest, parseDigest } from '../lib/digest.ts'
import type { Id } from '../lib/ids.ts'
import type { Owner } from '../lib/owner.ts'
import { deleteLock } from './lock-store.ts'
import { firstPublicAccess } from './public-access.ts'
import type { CompletedSnapshot, PendingSnapshot, Snapshot } from './snapshot.ts'

export async function insertSnapshot(tx: Tx, snapshot: Snapshot): Promise<void> {
  await tx.insertInto('snapshots').values(toRow(snapshot)).execute()
}

export async function findSnapshot(
  db: Database,
  id: Id<'snapshot'>,
): Promise<Snapshot | undefined> {
  const { rows } = await selectById(db, { id })
  return rows.map(fromRow)[0]
}

const selectById = prepared((db, { id }: { readonly id: Id<'snapshot'> }) =>
  db.selectFrom('snapshots').selectAll().where('id', '=', id),
)

/** Several at once, whoever has them; those that are not there are left out. */
export async function findSnapshots(
  db: Database,
  ids: readonly Id<'snapshot'>[],
): Promise<readonly Snapshot[]> {
  const [id] = ids
  if (id === undefined) return []
  if (ids.length === 1) return (await selectById(db, { id })).rows.map(fromRow)
  const rows = await db.selectFrom('snapshots').selectAll().where('id', 'in', ids).execute()
  return rows.map(fromRow)
}

export interface SnapshotQuery {
  /** Who asks: one sees one's own, public ones, and those that are shared with one. */
  readonly viewer: string
  readonly region: string
  readonly ids?: readonly Id<'snapshot'>[] | undefined
  readonly ownerIds?: readonly string[] | undefined
  readonly volumeIds?: readonly string[] | undefined
  /**
   * Accounts, or `all`, of which one has to have been given the snapshot, or be the viewer and own
   * it. With whom else somebody's snapshot is shared, only its owner finds out.
   */
  readonly restorableBy?: readonly string[] | undefined
  readonly after?: string | undefined
  readonly limit?: number | undefined
}

/** What there is to see, in the order of ids. What is in the Recycle Bin is not. */
export async function listSnapshots(
  db: Database,
  query: SnapshotQuery,
): Promise<readonly Snapshot[]> {
  const { viewer, ids, ownerIds, volumeIds, restorableBy, after, limit } = query
  let select = selectVisible(db, query).orderBy('id')
  if (ids) select = select.where('id', 'in', ids.length > 0 ? ids : ['snap-'])
  if (ownerIds) select = select.where('account_id', 'in', ownerIds.length > 0 ? ownerIds : [''])
  if (volumeIds) select = select.where('volume_id', 'in', volumeIds as readonly Id<'volume'>[])
  if (restorableBy) {
    const seenByViewer = restorableBy.filter((who) => who === viewer || who === 'all')
    select = select.where((where) =>
      where.or([
        where('id', 'in', grantedTo(db, seenByViewer)),
        where.and([
          where('account_id', '=', viewer),
          where.or([
            where.lit(restorableBy.includes(viewer)),
            where('id', 'in', grantedTo(db, restorableBy)),
          ]),
        ]),
      ]),
    )
  }
  if (after !== undefined) select = select.where('id', '>', after as Id<'snapshot'>)
  if (limit !== undefined && limit !== Infinity) select = select.limit(limit)
  return (await select.execute()).map(fromRow)
}

function selectVisible(db: Database, { viewer, region }: Pick<SnapshotQuery, 'viewer' | 'region'>) {
  return db
    .selectFrom('snapshots')
    .selectAll()
    .where('region', '=', region)
    .where('recycled_at_ms', 'is', null)
    .where('copy_volume_id', 'is', null)
    .where((where) =>
      where.or([
        where('account_id', '=', viewer),
        where('id', 'in', grantedTo(db, [viewer, 'all'])),
      ]),
    )
}

/**
 * What is public is hidden where its owner blocks all sharing, or has it blocked by the
 * organization, and stays stored as public. What is declared counts for more.
 */
function grantedTo(db: Database, grantees: readonly string[]) {
  return db
    .selectFrom('snapshot_permissions')
    .innerJoin('snapshots as shared', 'shared.id', 'snapshot_permissions.snapshot_id')
    .leftJoin('snapshot_settings as setting', (join) =>
      join
        .onRef('setting.account_id', '=', 'shared.account_id')
        .onRef('setting.region', '=', 'shared.region'),
    )
    .leftJoin('declared_settings as declared', 'declared.account_id', 'shared.account_id')
    .select('snapshot_id')
    .where('grantee', 'in', grantees.length > 0 ? grantees : [''])
    .where((where) =>
      where.or([
        where('grantee', '<>', 'all'),
        where(
          where.fn.coalesce(
            'declared.snapshot_public_access',
            'setting.public_access',
            where.val(firstPublicAccess),
          ),
          '<>',
          'block-all-sharing',
        ),
      ]),
    )
}

/** The snapshot, where the account may make a volume or an image of it. */
export async function findUsableSnapshot(
  db: Database,
  query: Usable,
): Promise<Snapshot | undefined> {
  const { rows } = await selectUsable(db, query)
  return rows.map(fromRow)[0]
}

interface Usable {
  readonly accountId: string
  readonly region: string
  readonly id: Id<'snapshot'>
}

const selectUsable = prepared((db, { accountId, region, id }: Usable) =>
  selectVisible(db, { viewer: accountId, region }).where('id', '=', id),
)

export async function listPendingSnapshots(
  db: Database,
  query: { readonly volumeId?: Id<'volume'> } = {},
): Promise<readonly PendingSnapshot[]> {
  let select = db.selectFrom('snapshots').selectAll().where('state', '=', 'pending').orderBy('id')
  if (query.volumeId) select = select.where('volume_id', '=', query.volumeId)
  return (await select.execute()).map(fromRow).filter((found) => found.state === 'pending')
}

/** How many snapshots an account has in a Region, those in the Recycle Bin among them. */
export async function countSnapshots(
  db: Database,
  { accountId, region }: Owner,
): Promise<{ readonly all: number; readonly pending: number }> {
  // Counted in the index alone; those that are pending are few, whoever has them.
  const { count } = await db
    .selectFrom('snapshots')
    .select((of) => of.fn.countAll<number>().as('count'))
    .where('account_id', '=', accountId)
    .where('region', '=', region)
    .executeTakeFirstOrThrow()
  const pending = await listPendingSnapshots(db)
  const isOwn = (one: Snapshot) => one.accountId === accountId && one.region === region
  return { all: Number(count), pending: pending.filter(isOwn).length }
}

/** While there are any, the layers of the volume have to stay as they are. */
export async function hasPendingSnapshots(db: Database, volumeId: Id<'volume'>): Promise<boolean> {
  return (await listPendingSnapshots(db, { volumeId })).length > 0
}

export async function listSnapshotsOfFreeze(
  db: Database,
  freezeId: FreezeId,
): Promise<readonly Snapshot[]> {
  const rows = await db
    .selectFrom('snapshots')
    .selectAll()
    .where('freeze_id', '=', freezeId)
    .orderBy('id')
    .execute()
  return rows.map(fromRow)
}

/** Records up to which layer a freeze goes, for a volume where that is not decided yet. */
export async function setFrozenLayer(
  tx: Tx,
  frozen: {
    readonly freezeId: FreezeId
    readonly volumeId: Id<'volume'>
    readonly layer: number
  },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('snapshots')
    .set({ layer: frozen.layer })
    .where('freeze_id', '=', frozen.freezeId)
    .where('volume_id', '=', frozen.volumeId)
    .where('layer', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Tells whether the snapshot is still waited for. */
export async function setSnapshotProgress(
  db: Database,
  progress: { readonly id: Id<'snapshot'>; readonly percent: number },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('snapshots')
    .set({ progress_percent: progress.percent })
    .where('id', '=', progress.id)
    .where('state', '=', 'pending')
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Completes a snapshot that is still pending. Tells whether it was. */
export async function completeSnapshot(
  tx: Tx,
  completed: Pick<
    CompletedSnapshot,
    'id' | 'manifest' | 'completedAt' | 'parentSnapshotId' | 'fullSizeBytes' | 'addedBytes'
  >,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('snapshots')
    .set({
      state: 'completed',
      progress_percent: 100,
      manifest: completed.manifest,
      completed_at_ms: completed.completedAt.getTime(),
      parent_snapshot_id: completed.parentSnapshotId ?? null,
      full_size_bytes: completed.fullSizeBytes,
      added_bytes: completed.addedBytes,
    })
    .where('id', '=', completed.id)
    .where('state', '=', 'pending')
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Says of a snapshot that is still pending that it will never be: there is nothing to lock. */
export async function failSnapshot(
  tx: Tx,
  failed: { readonly id: Id<'snapshot'>; readonly message: string },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('snapshots')
    .set({ state: 'error', state_message: failed.message })
    .where('id', '=', failed.id)
    .where('state', '=', 'pending')
    .executeTakeFirst()
  if (numUpdatedRows === 0n) return false
  await deleteLock(tx, failed.id)
  return true
}

/** Forgets a snapshot. What blocks it alone has is found out by the garbage collection. */
export async function deleteSnapshotRow(tx: Tx, id: Id<'snapshot'>): Promise<boolean> {
  await tx.deleteFrom('snapshot_permissions').where('snapshot_id', '=', id).execute()
  const { numDeletedRows } = await tx
    .deleteFrom('snapshots')
    .where('id', '=', id)
    .executeTakeFirst()
  return numDeletedRows === 1n
}

export async function listSnapshotManifests(db: Database): Promise<readonly Digest[]> {
  const rows = await db
    .selectFrom('snapshots')
    .select('manifest')
    .distinct()
    .where('manifest', 'is not', null)
    .execute()
  return rows.flatMap(({ manifest }) => (manifest === null ? [] : [parseDigest(manifest)]))
}

/** Every snapshot of that very disk, whosoever it is, also those that could come back. */
export async function listSnapshotsByManifest(
  db: Database,
  manifest: Digest,
): Promise<readonly Id<'snapshot'>[]> {
  const rows = await db
    .selectFrom('snapshots')
    .select('id')
    .where('manifest', '=', manifest)
    .orderBy('id')
    .execute()
  return rows.map(({ id }) => id)
}

function toRow(snapshot: Snapshot): Insertable<Tables['snapshots']> {
  const completed = snapshot.state === 'completed' ? snapshot : undefined
  return {
    id: snapshot.id,
    account_id: snapshot.accountId,
    region: snapshot.region,
    volume_id: snapshot.volumeId,
    volume_size_gib: snapshot.volumeSizeGiB,
    description: snapshot.description,
    state: snapshot.state,
    state_message: snapshot.state === 'error' ? snapshot.stateMessage : null,
    started_at_ms: snapshot.startedAt.getTime(),
    completed_at_ms: completed?.completedAt.getTime() ?? null,
    progress_percent: snapshot.progressPercent,
    freeze_id: snapshot.freezeId ?? null,
    layer: snapshot.layer ?? null,
    copy_volume_id: snapshot.copyVolumeId ?? null,
    manifest: completed?.manifest ?? null,
    parent_snapshot_id: completed?.parentSnapshotId ?? null,
    full_size_bytes: completed?.fullSizeBytes ?? null,
    added_bytes: completed?.addedBytes ?? null,
    kms_key_id: snapshot.kmsKeyArn ?? null,
  }
}

function fromRow(row: Selectable<Tables['snapshots']>): Snapshot {
  const taken = {
    id: row.id,
    accountId: row.account_id,
    region: row.region,
    volumeId: row.volume_id,
    volumeSizeGiB: row.volume_size_gib,
    description: row.description,
    startedAt: new Date(row.started_at_ms),
    progressPercent: row.progress_percent,
    freezeId: (row.freeze_id ?? undefined) as FreezeId | undefined,
    layer: row.layer ?? undefined,
    ...(row.kms_key_id !== null && { kmsKeyArn: row.kms_key_id }),
    ...(row.copy_volume_id !== null && { copyVolumeId: row.copy_volume_id }),
    ...(row.storage_tier === 'archive' && { isArchived: true as const }),
    ...(row.restore_expires_at_ms !== null && {
      restoreExpiresAt: new Date(row.restore_expires_at_ms),
    }),
    ...(row.recycled_at_ms !== null && { recycledAt: new Date(row.recycled_at_ms) }),
    ...(row.recycle_exit_at_ms !== null && { recycleExitAt: new Date(row.recycle_exit_at_ms) }),
  }
  if (row.state === 'pending') return { ...taken, state: 'pending' }
  if (row.state === 'error') {
    return { ...taken, state: 'error', stateMessage: row.state_message ?? '' }
  }
  assert(
    row.manifest !== null && row.completed_at_ms !== null,
    `${row.id} is completed and has no manifest`,
  )
  return {
    ...taken,
    state: 'completed',
    completedAt: new Date(row.completed_at_ms),
    manifest: parseDigest(row.manifest),
    parentSnapshotId: row.parent_snapshot_id ?? undefined,
    fullSizeBytes: row.full_size_bytes ?? 0,
    addedBytes: row.added_bytes ?? 0,
  }
}
