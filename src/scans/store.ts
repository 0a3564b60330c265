/**
 * The `disk_scans` table: what is on a disk, by the name of its content, and what is known of that. A
 * disk never changes, so it is read once, whoever has images of it.
 */
import type { Database, Tx } from '../db/database.ts'
import { inChunks } from '../lib/chunks.ts'
import { type Digest, parseDigest } from '../lib/digest.ts'
import type { Finding, ScanResults } from './finding.ts'
import type { Inventory } from './inventory.ts'

export interface DiskScan {
  readonly disk: Digest
  /** What it is encrypted with, where it is. */
  readonly kmsKeyArn: string | undefined
  /** By which feed it was scanned; 0 where it was not. */
  readonly feed: number
  /** Why nothing can be said of it. */
  readonly problem: string | undefined
  /** Nothing where it was not read, or could not be. */
  readonly inventory: Inventory | undefined
  readonly findings: readonly Finding[]
}

/** Has a disk scanned, where it is not known already. */
export async function insertScan(
  tx: Tx,
  { disk, kmsKeyArn }: Pick<DiskScan, 'disk' | 'kmsKeyArn'>,
): Promise<void> {
  await tx
    .insertInto('disk_scans')
    .values({ disk, kms_key_id: kmsKeyArn ?? null, feed: 0, findings: '[]' })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

export async function listDueScans(
  db: Database,
  query: { readonly feed: number; readonly limit: number },
): Promise<readonly Digest[]> {
  const rows = await db
    .selectFrom('disk_scans')
    .select('disk')
    .where('feed', '<', query.feed)
    .orderBy('feed')
    .orderBy('disk')
    .limit(query.limit)
    .execute()
  return rows.map(({ disk }) => parseDigest(disk))
}

export async function findScan(db: Database, disk: Digest): Promise<DiskScan | undefined> {
  const row = await db
    .selectFrom('disk_scans')
    .selectAll()
    .where('disk', '=', disk)
    .executeTakeFirst()
  return (
    row && {
      disk,
      kmsKeyArn: row.kms_key_id ?? undefined,
      feed: row.feed,
      problem: row.problem ?? undefined,
      inventory: row.inventory === null ? undefined : (JSON.parse(row.inventory) as Inventory),
      findings: JSON.parse(row.findings) as readonly Finding[],
    }
  )
}

/** What was found out, by a feed. */
export async function recordScan(
  tx: Tx,
  disk: Digest,
  found: Pick<DiskScan, 'feed' | 'inventory' | 'findings'> & { readonly results: ScanResults },
): Promise<void> {
  await tx
    .updateTable('disk_scans')
    .set({
      feed: found.feed,
      problem: null,
      inventory: JSON.stringify(found.inventory),
      findings: JSON.stringify(found.findings),
      results: JSON.stringify(found.results),
    })
    .where('disk', '=', disk)
    .execute()
}

/** Why nothing can be said of a disk. With the next feed it is tried again. */
export async function recordProblem(
  tx: Tx,
  disk: Digest,
  { feed, problem }: { readonly feed: number; readonly problem: string },
): Promise<void> {
  await tx.updateTable('disk_scans').set({ feed, problem }).where('disk', '=', disk).execute()
}

export async function deleteScan(tx: Tx, disk: Digest): Promise<void> {
  await tx.deleteFrom('disk_scans').where('disk', '=', disk).execute()
}

/** Of those disks that were scanned. */
export async function listScanResults(
  db: Database,
  disks: readonly Digest[],
): Promise<ReadonlyMap<Digest, ScanResults>> {
  const found = new Map<Digest, ScanResults>()
  for (const some of inChunks(disks)) {
    const rows = await db
      .selectFrom('disk_scans')
      .select(['disk', 'results'])
      .where('disk', 'in', some)
      .where('results', 'is not', null)
      .execute()
    for (const { disk, results } of rows) {
      if (results !== null) found.set(parseDigest(disk), JSON.parse(results) as ScanResults)
    }
  }
  return found
}

/** How many disks there are by why they are not scanned; nothing for those that are. */
export async function countScans(
  db: Database,
): Promise<readonly { readonly problem: string | undefined; readonly disks: number }[]> {
  const rows = await db
    .selectFrom('disk_scans')
    .select((of) => ['problem', of.fn.countAll<number>().as('disks')])
    .where('feed', '>', 0)
    .groupBy('problem')
    .orderBy('problem')
    .execute()
  return rows.map(({ problem, disks }) => ({ problem: problem ?? undefined, disks: Number(disks) }))
}
