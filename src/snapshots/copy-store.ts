/**
 * The part of the `snapshots` table that copies of volumes have: the moment that one
 * is of, as a snapshot that nobody sees, which is there until the copy has its disk.
 */
import type { Database } from '../db/database.ts'
import type { Id } from '../lib/ids.ts'
import type { Snapshot } from './snapshot.ts'
import { findSnapshot } from './store.ts'

/** The moment that a volume waits for, or has not taken over yet. */
export async function findSnapshotOfCopy(
  db: Database,
  copyVolumeId: Id<'volume'>,
): Promise<Snapshot | undefined> {
  const row = await db
    .selectFrom('snapshots')
    .select('id')
    .where('copy_volume_id', '=', copyVolumeId)
    .executeTakeFirst()
  return row && (await findSnapshot(db, row.id))
}

/** The copies whose moment is not stored yet. */
export async function listWaitingCopies(db: Database): Promise<ReadonlySet<Id<'volume'>>> {
  const rows = await db
    .selectFrom('snapshots')
    .select('copy_volume_id')
    .where('copy_volume_id', 'is not', null)
    .where('state', '=', 'pending')
    .execute()
  return new Set(rows.flatMap(({ copy_volume_id: id }) => (id === null ? [] : [id])))
}

/** All of them, whatever became of them. */
export async function listSnapshotsOfCopies(
  db: Database,
): Promise<readonly { readonly id: Id<'snapshot'>; readonly copyVolumeId: Id<'volume'> }[]> {
  const rows = await db
    .selectFrom('snapshots')
    .select(['id', 'copy_volume_id'])
    .where('copy_volume_id', 'is not', null)
    .orderBy('id')
    .execute()
  return rows.flatMap(({ id, copy_volume_id: copyVolumeId }) =>
    copyVolumeId === null ? [] : [{ id, copyVolumeId }],
  )
}
