/** The `iam_entities` and `iam_roles` tables. Nothing else reads or writes them. */
import { type Selectable, sql } from 'kysely'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import { type Entity, type EntityKind, foldName } from './entity.ts'

/** Which entity: a name of its kind in an account. */
export type EntityKey = Pick<Entity, 'accountId' | 'kind' | 'name'>

/** What a role has beside its name. */
export interface RoleDetails {
  /** Who may take it: the document, as it was given. */
  readonly trustPolicy: string
  readonly description: string | undefined
  readonly sessionSecondsMax: number
}

/** Stores a new entity. Tells whether its name was free. */
export async function insertEntity(tx: Tx, entity: Entity): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('iam_entities')
    .values({
      id: entity.id,
      account_id: entity.accountId,
      kind: entity.kind,
      name: entity.name,
      folded_name: foldName(entity.name),
      path: entity.path,
      boundary_arn: entity.boundaryArn ?? null,
      created_at_ms: entity.createdAt.getTime(),
    })
    .onConflict((conflict) => conflict.columns(['account_id', 'kind', 'folded_name']).doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

export async function findEntity(db: Database, key: EntityKey): Promise<Entity | undefined> {
  const row = await db
    .selectFrom('iam_entities')
    .selectAll()
    .where('account_id', '=', key.accountId)
    .where('kind', '=', key.kind)
    .where('folded_name', '=', foldName(key.name))
    .executeTakeFirst()
  return row && fromRow(row)
}

export async function findEntities(
  db: Database,
  ids: readonly string[],
): Promise<readonly Entity[]> {
  if (ids.length === 0) return []
  const rows = await db
    .selectFrom('iam_entities')
    .selectAll()
    .where('id', 'in', ids)
    .orderBy('folded_name')
    .orderBy('id')
    .execute()
  return rows.map(fromRow)
}

/** The entities of a kind below a path, by name; with `after` and `count`, a page of them. */
export async function listEntities(
  db: Database,
  query: {
    readonly accountId: string
    readonly kind: EntityKind
    readonly pathPrefix?: string
    readonly after?: string
    readonly count?: number
  },
): Promise<readonly Entity[]> {
  const { pathPrefix = '/', after, count } = query
  let select = db
    .selectFrom('iam_entities')
    .selectAll()
    .where('account_id', '=', query.accountId)
    .where('kind', '=', query.kind)
    .where(sql<boolean>`substr(path, 1, ${pathPrefix.length}) = ${pathPrefix}`)
    .orderBy('folded_name')
  if (after !== undefined) select = select.where('folded_name', '>', foldName(after))
  if (count !== undefined) select = select.limit(count)
  return (await select.execute()).map(fromRow)
}

/** Locks the row of an entity until the transaction ends. Tells whether it is still there. */
export async function lockEntity(tx: Tx, id: string): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('iam_entities')
    .set((row) => ({ name: row.ref('name') }))
    .where('id', '=', id)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Gives an entity another name or path. Tells whether the name was free for it. */
export async function renameEntity(
  tx: Tx,
  entity: Entity,
  { name, path }: Pick<Entity, 'name' | 'path'>,
): Promise<boolean> {
  const folded = foldName(name)
  const holder = await findEntity(tx, { ...entity, name })
  if (holder && holder.id !== entity.id) return false
  const { numUpdatedRows } = await tx
    .updateTable('iam_entities')
    .set({ name, folded_name: folded, path })
    .where('id', '=', entity.id)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Sets or takes away the boundary of a user or role. */
export async function setBoundary(tx: Tx, id: string, arn: string | undefined): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('iam_entities')
    .set({ boundary_arn: arn ?? null })
    .where('id', '=', id)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Who has this policy for a boundary. */
export async function listBoundedBy(db: Database, arn: string): Promise<readonly Entity[]> {
  const rows = await db
    .selectFrom('iam_entities')
    .selectAll()
    .where('boundary_arn', '=', arn)
    .orderBy('folded_name')
    .orderBy('id')
    .execute()
  return rows.map(fromRow)
}

/** Deletes an entity of which nothing is left but itself. */
export async function deleteEntityRow(tx: Tx, id: string): Promise<boolean> {
  await tx.deleteFrom('iam_roles').where('role_id', '=', id).execute()
  const { numDeletedRows } = await tx
    .deleteFrom('iam_entities')
    .where('id', '=', id)
    .executeTakeFirst()
  return numDeletedRows === 1n
}

/** Stores what a new role has beside its name, or changes it. */
export async function putRoleDetails(tx: Tx, roleId: string, details: RoleDetails): Promise<void> {
  const { trustPolicy, description, sessionSecondsMax } = details
  const changing = {
    trust_policy: trustPolicy,
    description: description ?? null,
    session_s_max: sessionSecondsMax,
  }
  await tx
    .insertInto('iam_roles')
    .values({ role_id: roleId, ...changing })
    .onConflict((conflict) => conflict.column('role_id').doUpdateSet(changing))
    .execute()
}

export async function findRoleDetails(
  db: Database,
  roleId: string,
): Promise<RoleDetails | undefined> {
  const row = await db
    .selectFrom('iam_roles')
    .selectAll()
    .where('role_id', '=', roleId)
    .executeTakeFirst()
  return (
    row && {
      trustPolicy: row.trust_policy,
      description: row.description ?? undefined,
      sessionSecondsMax: row.session_s_max,
    }
  )
}

function fromRow(row: Selectable<Tables['iam_entities']>): Entity {
  return {
    id: row.id,
    accountId: row.account_id,
    kind: row.kind,
    name: row.name,
    path: row.path,
    createdAt: new Date(row.created_at_ms),
    boundaryArn: row.boundary_arn ?? undefined,
  }
}
