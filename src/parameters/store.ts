/** The `parameters` and `parameter_versions` tables. Nothing else reads or writes them. */
import { type Selectable, sql } from 'kysely'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { Tag } from '../tags/tag.ts'
import type { ParameterKey, ParameterVersion } from './parameter.ts'

type Owner = Pick<ParameterKey, 'accountId' | 'region'>

/** Takes the name of a new parameter. Tells whether it was free. */
export async function insertParameter(
  tx: Tx,
  parameter: ParameterKey & { readonly tags: readonly Tag[] },
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('parameters')
    .values({
      account_id: parameter.accountId,
      region: parameter.region,
      name: parameter.name,
      latest_version: 1,
      tags: JSON.stringify(parameter.tags),
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

/** Takes the number of the next version of a parameter that there is. */
export async function takeNextVersion(tx: Tx, key: ParameterKey): Promise<number | undefined> {
  const row = await tx
    .updateTable('parameters')
    .set({ latest_version: sql<number>`latest_version + 1` })
    .where((where) => where.and(columns(key)))
    .returning('latest_version')
    .executeTakeFirst()
  return row?.latest_version
}

export async function insertVersion(tx: Tx, version: ParameterVersion): Promise<void> {
  await tx
    .insertInto('parameter_versions')
    .values({
      ...columns(version),
      version: version.version,
      type: version.type,
      data_type: version.dataType,
      tier: version.tier,
      value: version.value,
      key_id: version.keyId ?? null,
      description: version.description ?? null,
      allowed_pattern: version.allowedPattern ?? null,
      labels: JSON.stringify(version.labels),
      modified_at_ms: version.modifiedAt.getTime(),
      modified_by: version.modifiedBy,
    })
    .execute()
}

export async function countParameters(db: Database, owner: Owner): Promise<number> {
  const { count } = await db
    .selectFrom('parameters')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('account_id', '=', owner.accountId)
    .where('region', '=', owner.region)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** The newest version of one parameter. */
export async function findLatest(
  db: Database,
  key: ParameterKey,
): Promise<ParameterVersion | undefined> {
  const row = await db
    .selectFrom('parameters')
    .innerJoin('parameter_versions', (join) =>
      join
        .onRef('parameter_versions.account_id', '=', 'parameters.account_id')
        .onRef('parameter_versions.region', '=', 'parameters.region')
        .onRef('parameter_versions.name', '=', 'parameters.name')
        .onRef('parameter_versions.version', '=', 'parameters.latest_version'),
    )
    .selectAll('parameter_versions')
    .where('parameters.account_id', '=', key.accountId)
    .where('parameters.region', '=', key.region)
    .where('parameters.name', '=', key.name)
    .executeTakeFirst()
  return row && fromRow(row)
}

/** All versions of one parameter, the oldest first. */
export async function listVersions(
  db: Database,
  key: ParameterKey,
): Promise<readonly ParameterVersion[]> {
  const rows = await db
    .selectFrom('parameter_versions')
    .selectAll()
    .where((where) => where.and(columns(key)))
    .orderBy('version')
    .execute()
  return rows.map(fromRow)
}

export interface Listed {
  /** All versions, the oldest first. */
  readonly versions: readonly ParameterVersion[]
  readonly latest: ParameterVersion
  readonly tags: readonly Tag[]
}

/**
 * The parameters of an owner whose names begin with `prefix`, by their names. All
 * versions come along only where they are asked for.
 */
export async function listParameters(
  db: Database,
  query: Owner & { readonly prefix?: string; readonly hasAllVersions?: boolean },
): Promise<readonly Listed[]> {
  let select = db
    .selectFrom('parameters')
    .innerJoin('parameter_versions', (join) =>
      join
        .onRef('parameter_versions.account_id', '=', 'parameters.account_id')
        .onRef('parameter_versions.region', '=', 'parameters.region')
        .onRef('parameter_versions.name', '=', 'parameters.name'),
    )
    .selectAll('parameter_versions')
    .select(['parameters.tags', 'parameters.latest_version'])
    .where('parameters.account_id', '=', query.accountId)
    .where('parameters.region', '=', query.region)
    .orderBy('parameter_versions.version')
  if (!query.hasAllVersions) {
    select = select.whereRef('parameter_versions.version', '=', 'parameters.latest_version')
  }
  const { prefix = '' } = query
  if (prefix !== '') {
    const pattern = `${prefix.replaceAll(/[%_\\]/g, String.raw`\$&`)}%`
    select = select.where(sql<boolean>`parameters.name LIKE ${pattern} ESCAPE '\\'`)
  }
  const found = new Map<string, { versions: ParameterVersion[]; tags: readonly Tag[] }>()
  for (const row of await select.execute()) {
    // One of the databases takes upper and lower case for the same.
    if (!row.name.startsWith(prefix)) continue
    const listed = found.get(row.name) ?? { versions: [], tags: parseTags(row.tags) }
    listed.versions.push(fromRow(row))
    found.set(row.name, listed)
  }
  return [...found.values()]
    .flatMap(({ versions, tags }) => {
      const latest = versions.at(-1)
      return latest ? [{ versions, tags, latest }] : []
    })
    .sort((a, b) => (a.latest.name < b.latest.name ? -1 : 1))
}

export async function deleteVersion(
  tx: Tx,
  version: ParameterKey & { readonly version: number },
): Promise<void> {
  await tx
    .deleteFrom('parameter_versions')
    .where((where) => where.and({ ...columns(version), version: version.version }))
    .execute()
}

/** Deletes a parameter with all its versions. Tells whether it was there. */
export async function deleteParameterRows(tx: Tx, key: ParameterKey): Promise<boolean> {
  await tx
    .deleteFrom('parameter_versions')
    .where((where) => where.and(columns(key)))
    .execute()
  const { numDeletedRows } = await tx
    .deleteFrom('parameters')
    .where((where) => where.and(columns(key)))
    .executeTakeFirst()
  return numDeletedRows === 1n
}

export async function setLabels(
  tx: Tx,
  version: ParameterKey & { readonly version: number; readonly labels: readonly string[] },
): Promise<void> {
  await tx
    .updateTable('parameter_versions')
    .set({ labels: JSON.stringify(version.labels) })
    .where((where) => where.and({ ...columns(version), version: version.version }))
    .execute()
}

/** The tags of a parameter, or nothing where there is no such parameter. */
export async function findTags(
  db: Database,
  key: ParameterKey,
): Promise<readonly Tag[] | undefined> {
  const row = await db
    .selectFrom('parameters')
    .select('tags')
    .where((where) => where.and(columns(key)))
    .executeTakeFirst()
  return row && parseTags(row.tags)
}

export async function setTags(
  tx: Tx,
  parameter: ParameterKey & { readonly tags: readonly Tag[] },
): Promise<void> {
  await tx
    .updateTable('parameters')
    .set({ tags: JSON.stringify(parameter.tags) })
    .where((where) => where.and(columns(parameter)))
    .execute()
}

const columns = ({ accountId, region, name }: ParameterKey) => ({
  account_id: accountId,
  region,
  name,
})

const parseTags = (text: string): readonly Tag[] => JSON.parse(text) as readonly Tag[]

function fromRow(row: Selectable<Tables['parameter_versions']>): ParameterVersion {
  return {
    accountId: row.account_id,
    region: row.region,
    name: row.name,
    version: row.version,
    type: row.type,
    dataType: row.data_type,
    tier: row.tier,
    value: row.value,
    ...(row.key_id !== null && { keyId: row.key_id }),
    description: row.description ?? undefined,
    allowedPattern: row.allowed_pattern ?? undefined,
    labels: JSON.parse(row.labels) as readonly string[],
    modifiedAt: new Date(row.modified_at_ms),
    modifiedBy: row.modified_by,
  }
}
