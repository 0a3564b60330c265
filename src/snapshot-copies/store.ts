/** The `snapshot_copies` table. A row stays as long as its snapshot, and says where that came from. */
import type { Selectable } from 'kysely'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import { inChunks } from '../lib/chunks.ts'
import { type Digest, parseDigest } from '../lib/digest.ts'
import type { Id } from '../lib/ids.ts'
import type { Owner } from '../lib/owner.ts'
import type { SnapshotCopy } from './snapshot-copy.ts'

export async function insertCopy(tx: Tx, copy: SnapshotCopy): Promise<void> {
  await tx
    .insertInto('snapshot_copies')
    .values({
      snapshot_id: copy.id,
      account_id: copy.accountId,
      region: copy.region,
      source_snapshot_id: copy.sourceId,
      source_region: copy.sourceRegion,
      manifest: copy.manifest,
      full_size_bytes: copy.fullSizeBytes,
      completion_minutes: copy.completionMinutes ?? null,
      source_kms_key_id: copy.sourceKmsKeyArn ?? null,
      is_done: 0,
    })
    .execute()
}

export async function findCopy(
  db: Database,
  id: Id<'snapshot'>,
): Promise<SnapshotCopy | undefined> {
  return (await listCopies(db, [id])).get(id)
}

/** Those of the snapshots that are copies. */
export async function listCopies(
  db: Database,
  ids: readonly Id<'snapshot'>[],
): Promise<ReadonlyMap<Id<'snapshot'>, SnapshotCopy>> {
  const found = new Map<Id<'snapshot'>, SnapshotCopy>()
  for (const some of inChunks(ids)) {
    const rows = await db
      .selectFrom('snapshot_copies')
      .selectAll()
      .where('snapshot_id', 'in', some)
      .execute()
    for (const row of rows) found.set(row.snapshot_id, fromRow(row))
  }
  return found
}

/** The snapshots that are still to be made: all, or those of one account in one Region. */
export async function listCopiesUnderWay(
  db: Database,
  owner?: Owner,
): Promise<readonly Id<'snapshot'>[]> {
  let select = db
    .selectFrom('snapshot_copies')
    .select('snapshot_id')
    .where('is_done', '=', 0)
    .orderBy('snapshot_id')
  if (owner) {
    select = select.where('account_id', '=', owner.accountId).where('region', '=', owner.region)
  }
  return (await select.execute()).map((row) => row.snapshot_id)
}

/** Nothing is owed to it any more. A copy under another key has a disk of its own then. */
export async function finishCopy(tx: Tx, id: Id<'snapshot'>, manifest?: Digest): Promise<void> {
  await tx
    .updateTable('snapshot_copies')
    .set({ is_done: 1, ...(manifest !== undefined && { manifest }) })
    .where('snapshot_id', '=', id)
    .execute()
}

/** Everything that copies name, done or not: who reads snapshots first and then these misses nothing. */
export async function listCopiedManifests(db: Database): Promise<readonly Digest[]> {
  const rows = await db.selectFrom('snapshot_copies').select('manifest').distinct().execute()
  return rows.map(({ manifest }) => parseDigest(manifest))
}

function fromRow(row: Selectable<Tables['snapshot_copies']>): SnapshotCopy {
  return {
    id: row.snapshot_id,
    accountId: row.account_id,
    region: row.region,
    sourceId: row.source_snapshot_id,
    sourceRegion: row.source_region,
    manifest: parseDigest(row.manifest),
    fullSizeBytes: row.full_size_bytes,
    completionMinutes: row.completion_minutes ?? undefined,
    sourceKmsKeyArn: row.source_kms_key_id ?? undefined,
  }
}
