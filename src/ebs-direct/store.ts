/** The `direct_snapshots` and `direct_blocks` tables. They go with the snapshot's own row. */
import type { Insertable, Selectable } from 'kysely'
import type { Database, Tx } from '../db/database.ts'
import { prepared } from '../db/prepared.ts'
import type { Tables } from '../db/schema.ts'
import { type Digest, parseDigest } from '../lib/digest.ts'
import type { Id } from '../lib/ids.ts'
import type { DirectSnapshot } from './direct-snapshot.ts'

export interface DirectBlock {
  readonly index: number
  readonly digest: Digest
  readonly addedBytes: number
}

const rowsAtOnce = 10_000

export async function insertDirectSnapshot(tx: Tx, snapshot: DirectSnapshot): Promise<void> {
  await tx.insertInto('direct_snapshots').values(toRow(snapshot)).execute()
}

export async function findDirectSnapshot(
  db: Database,
  id: Id<'snapshot'>,
): Promise<DirectSnapshot | undefined> {
  const { rows } = await selectById(db, { id })
  return rows.map(fromRow)[0]
}

const selectById = prepared((db, { id }: { readonly id: Id<'snapshot'> }) =>
  db.selectFrom('direct_snapshots').selectAll().where('snapshot_id', '=', id),
)

/** Those that something is owed to: a manifest, or an end because nobody writes them any more. */
export async function listDueDirectSnapshots(
  db: Database,
  now: Date,
): Promise<readonly Id<'snapshot'>[]> {
  const rows = await db
    .selectFrom('direct_snapshots')
    .select('snapshot_id')
    .where((where) =>
      where.or([
        where('state', '=', 'sealing'),
        where.and([
          where('state', '=', 'open'),
          where(
            where('touched_at_ms', '+', where('timeout_minutes', '*', 60_000)),
            '<',
            now.getTime(),
          ),
        ]),
      ]),
    )
    .orderBy('snapshot_id')
    .execute()
  return rows.map((row) => row.snapshot_id)
}

/** Those that are not done, whoever has them. */
export async function listDirectUnderWay(db: Database): Promise<readonly Id<'snapshot'>[]> {
  const rows = await db
    .selectFrom('direct_snapshots')
    .select('snapshot_id')
    .where('state', '!=', 'done')
    .execute()
  return rows.map((row) => row.snapshot_id)
}

/** The disks that snapshots under way begin with. */
export async function listParentManifests(db: Database): Promise<readonly Digest[]> {
  const rows = await db
    .selectFrom('direct_snapshots')
    .select('parent_manifest')
    .distinct()
    .where('parent_manifest', 'is not', null)
    .execute()
  return rows.flatMap(({ parent_manifest: digest }) => (digest ? [parseDigest(digest)] : []))
}

/** Records a block, in place of one that was there. Tells whether the snapshot is still open. */
export async function putDirectBlock(
  tx: Tx,
  put: DirectBlock & { readonly id: Id<'snapshot'>; readonly now: Date },
): Promise<boolean> {
  const { now, ...block } = put
  const touched = await touch(tx, { id: block.id, nowMs: now.getTime() })
  if (touched.numAffectedRows === 0n) return false
  await putBlock(tx, block)
  return true
}

const touch = prepared(
  (db, { id, nowMs }: { readonly id: Id<'snapshot'>; readonly nowMs: number }) =>
    db
      .updateTable('direct_snapshots')
      .set({ touched_at_ms: nowMs })
      .where('snapshot_id', '=', id)
      .where('state', '=', 'open'),
)

const putBlock = prepared((db, block: DirectBlock & { readonly id: Id<'snapshot'> }) => {
  const { id, index, digest, addedBytes } = block
  return db
    .insertInto('direct_blocks')
    .values({ snapshot_id: id, block_index: index, digest, added_bytes: addedBytes })
    .onConflict((conflict) =>
      conflict
        .columns(['snapshot_id', 'block_index'])
        .doUpdateSet({ digest, added_bytes: addedBytes }),
    )
})

export async function countDirectBlocks(db: Database, id: Id<'snapshot'>): Promise<number> {
  const { count } = await db
    .selectFrom('direct_blocks')
    .select((select) => select.fn.countAll().as('count'))
    .where('snapshot_id', '=', id)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** In the order of the disk. */
export async function* listDirectBlocks(
  db: Database,
  id: Id<'snapshot'>,
): AsyncGenerator<DirectBlock> {
  for (let after = -1; ;) {
    const rows = await db
      .selectFrom('direct_blocks')
      .selectAll()
      .where('snapshot_id', '=', id)
      .where('block_index', '>', after)
      .orderBy('block_index')
      .limit(rowsAtOnce)
      .execute()
    for (const { block_index: index, digest, added_bytes: addedBytes } of rows) {
      yield { index, digest: parseDigest(digest), addedBytes }
    }
    const last = rows.at(-1)
    if (!last || rows.length < rowsAtOnce) return
    after = last.block_index
  }
}

/** Every block of every snapshot under way. */
export async function* listAllDirectBlocks(db: Database): AsyncGenerator<Digest> {
  for (const id of await listDirectUnderWay(db)) {
    for await (const { digest } of listDirectBlocks(db, id)) yield digest
  }
}

/** From now on it takes no more blocks. Tells whether it was open. */
export async function sealDirectSnapshot(
  tx: Tx,
  sealed: { readonly id: Id<'snapshot'>; readonly changedBlocksCount: number },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('direct_snapshots')
    .set({ state: 'sealing', changed_blocks_count: sealed.changedBlocksCount })
    .where('snapshot_id', '=', sealed.id)
    .where('state', '=', 'open')
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Nothing is owed to it any more, and its blocks are nobody's but the manifest's. */
export async function finishDirectSnapshot(tx: Tx, id: Id<'snapshot'>): Promise<void> {
  await tx.deleteFrom('direct_blocks').where('snapshot_id', '=', id).execute()
  await tx
    .updateTable('direct_snapshots')
    .set({ state: 'done', parent_manifest: null })
    .where('snapshot_id', '=', id)
    .execute()
}

function toRow(snapshot: DirectSnapshot): Insertable<Tables['direct_snapshots']> {
  return {
    snapshot_id: snapshot.id,
    state: snapshot.state,
    parent_snapshot_id: snapshot.parentSnapshotId ?? null,
    parent_manifest: snapshot.parentManifest ?? null,
    timeout_minutes: snapshot.timeoutMinutes,
    touched_at_ms: snapshot.touchedAt.getTime(),
    changed_blocks_count: snapshot.changedBlocksCount ?? null,
  }
}

function fromRow(row: Selectable<Tables['direct_snapshots']>): DirectSnapshot {
  return {
    id: row.snapshot_id,
    state: row.state,
    parentSnapshotId: row.parent_snapshot_id ?? undefined,
    parentManifest: row.parent_manifest === null ? undefined : parseDigest(row.parent_manifest),
    timeoutMinutes: row.timeout_minutes,
    touchedAt: new Date(row.touched_at_ms),
    changedBlocksCount: row.changed_blocks_count ?? undefined,
  }
}
