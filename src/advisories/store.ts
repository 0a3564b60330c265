/** The `advisories` table: a row for each package of a release that a record is about. */
import type { Database, Tx } from '../db/database.ts'
import { inChunks } from '../lib/chunks.ts'
import type { Advisory, AdvisoryRecord } from './advisory.ts'
import type { Ecosystem } from './ecosystem.ts'

const rowsAtOnce = 500

/** Takes records in place of those of the same ids. Tells how many were older than what is there. */
export async function putRecords(tx: Tx, records: readonly AdvisoryRecord[]): Promise<number> {
  const latest = new Map<string, AdvisoryRecord>()
  for (const record of records) {
    const known = latest.get(record.id)
    if (!known || known.modifiedAt <= record.modifiedAt) latest.set(record.id, record)
  }
  let older = records.length - latest.size
  for (const ids of inChunks([...latest.keys()])) {
    const kept = await tx
      .selectFrom('advisories')
      .select((of) => ['id', of.fn.max<number>('modified_at_ms').as('at')])
      .where('id', 'in', ids)
      .groupBy('id')
      .execute()
    for (const { id, at } of kept) {
      if (Number(at) <= (latest.get(id)?.modifiedAt.getTime() ?? 0)) continue
      latest.delete(id)
      older++
    }
  }
  for (const ids of inChunks([...latest.keys()])) {
    await tx.deleteFrom('advisories').where('id', 'in', ids).execute()
  }
  const rows = [...latest.values()].flatMap(({ advisories, modifiedAt }) =>
    advisories.map((advisory) => toRow(advisory, modifiedAt)),
  )
  for (let first = 0; first < rows.length; first += rowsAtOnce) {
    await tx
      .insertInto('advisories')
      .values(rows.slice(first, first + rowsAtOnce))
      .execute()
  }
  return older
}

/** All that is said of some packages of a release. */
export async function listAdvisories(
  db: Database,
  query: { readonly ecosystem: Ecosystem; readonly packageNames: readonly string[] },
): Promise<readonly Advisory[]> {
  const found: Advisory[] = []
  for (const names of inChunks(query.packageNames)) {
    const rows = await db
      .selectFrom('advisories')
      .select('detail')
      .where('ecosystem', '=', query.ecosystem)
      .where('package_name', 'in', names)
      .orderBy('package_name')
      .orderBy('id')
      .execute()
    for (const { detail } of rows) found.push(JSON.parse(detail) as Advisory)
  }
  return found
}

export interface EcosystemSummary {
  readonly ecosystem: string
  readonly records: number
  readonly modifiedAt: Date
}

export async function summarizeAdvisories(db: Database): Promise<readonly EcosystemSummary[]> {
  const rows = await db
    .selectFrom('advisories')
    .select((of) => [
      'ecosystem',
      of.fn.count<number>('id').distinct().as('records'),
      of.fn.max<number>('modified_at_ms').as('at'),
    ])
    .groupBy('ecosystem')
    .orderBy('ecosystem')
    .execute()
  return rows.map(({ ecosystem, records, at }) => ({
    ecosystem,
    records: Number(records),
    modifiedAt: new Date(Number(at)),
  }))
}

const toRow = (advisory: Advisory, modifiedAt: Date) => ({
  ecosystem: advisory.ecosystem,
  package_name: advisory.packageName,
  id: advisory.id,
  detail: JSON.stringify(advisory),
  modified_at_ms: modifiedAt.getTime(),
})
