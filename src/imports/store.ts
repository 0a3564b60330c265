/** The `imports` table. Nothing else reads or writes it. */
import type { Selectable } from 'kysely'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import { type Digest, parseDigest } from '../lib/digest.ts'
import type { Id } from '../lib/ids.ts'
import type { ImageWishes, Import, ImportId } from './import.ts'

export async function insertImport(tx: Database, item: Import): Promise<void> {
  await tx
    .insertInto('imports')
    .values({
      id: item.id,
      account_id: item.accountId,
      region: item.region,
      kind: item.kind,
      source: item.source,
      image: JSON.stringify(item.image),
      state: item.state,
      message: item.message,
      done_bytes: item.doneBytes,
      total_bytes: item.totalBytes,
      created_at_ms: item.createdAt.getTime(),
      snapshot_id: item.snapshotId ?? null,
      image_id: item.imageId ?? null,
      manifest: item.manifest ?? null,
    })
    .execute()
}

export async function findImport(db: Database, id: string): Promise<Import | undefined> {
  const row = await db.selectFrom('imports').selectAll().where('id', '=', id).executeTakeFirst()
  return row && fromRow(row)
}

export async function listActiveImports(db: Database): Promise<Import[]> {
  const rows = await db
    .selectFrom('imports')
    .selectAll()
    .where('state', '=', 'active')
    .orderBy('created_at_ms')
    .execute()
  return rows.map(fromRow)
}

/** Imports of starter images, newest first. */
export async function listCatalogImports(db: Database, recipe: string): Promise<Import[]> {
  const rows = await db
    .selectFrom('imports')
    .selectAll()
    .where('kind', '=', 'catalog')
    .where('source', '=', recipe)
    .orderBy('created_at_ms', 'desc')
    .execute()
  return rows.map(fromRow)
}

/** Says how far an import is. It has no meaning for what is true, and may come late. */
export async function reportProgress(
  db: Database,
  id: ImportId,
  progress: { readonly message: string; readonly doneBytes: number; readonly totalBytes: number },
): Promise<void> {
  await db
    .updateTable('imports')
    .set({
      message: progress.message,
      done_bytes: progress.doneBytes,
      total_bytes: progress.totalBytes,
    })
    .where('id', '=', id)
    .where('state', '=', 'active')
    .execute()
}

/** Ends an import well. Tells whether it was still active. */
export async function completeImport(
  tx: Tx,
  id: ImportId,
  made: {
    readonly imageId: Id<'image'>
    readonly snapshotId: Id<'snapshot'>
    readonly manifest: Digest
  },
): Promise<boolean> {
  const result = await tx
    .updateTable('imports')
    .set({
      state: 'completed',
      message: 'completed',
      image_id: made.imageId,
      snapshot_id: made.snapshotId,
      manifest: made.manifest,
    })
    .where('id', '=', id)
    .where('state', '=', 'active')
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

export async function failImport(db: Database, id: ImportId, message: string): Promise<void> {
  await db
    .updateTable('imports')
    .set({ state: 'error', message })
    .where('id', '=', id)
    .where('state', '=', 'active')
    .execute()
}

function fromRow(row: Selectable<Tables['imports']>): Import {
  return {
    id: row.id as ImportId,
    accountId: row.account_id,
    region: row.region,
    kind: row.kind,
    source: row.source,
    image: JSON.parse(row.image) as ImageWishes,
    state: row.state,
    message: row.message,
    doneBytes: row.done_bytes,
    totalBytes: row.total_bytes,
    createdAt: new Date(row.created_at_ms),
    imageId: row.image_id ?? undefined,
    snapshotId: row.snapshot_id ?? undefined,
    manifest: row.manifest === null ? undefined : parseDigest(row.manifest),
  }
}
