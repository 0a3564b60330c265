/**
 * The tables of organizations, of their units and of who is in them. Nothing
 * else reads or writes them.
 */
import type { Selectable } from 'kysely'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import {
  type Member,
  type Organization,
  organizationArn,
  type Unit,
  unitArn,
  unitNameTaken,
} from './organization.ts'

/** Where an account is: what images that are shared with organizations and units ask. */
export interface Membership {
  readonly organizationArn: string
  /** The unit that the account is in and all units above it, the innermost first. */
  readonly unitArns: readonly string[]
}

/** The place of an account, or nothing for one that is in no organization. */
export async function findMembership(
  db: Database,
  accountId: string,
): Promise<Membership | undefined> {
  const row = await db
    .selectFrom('organization_accounts')
    .innerJoin('organizations', 'organizations.id', 'organization_accounts.organization_id')
    .select(['organizations.id', 'organizations.management_account_id', 'parent_id'])
    .where('account_id', '=', accountId)
    .executeTakeFirst()
  if (!row) return undefined
  const organization = { id: row.id, managementAccountId: row.management_account_id }
  const unitArns: string[] = []
  for (let unit = await findUnit(db, row.parent_id); unit;) {
    unitArns.push(unitArn(organization, unit.id))
    unit = await findUnit(db, unit.parentId)
  }
  return { organizationArn: organizationArn(organization), unitArns }
}

/** The root that an account is under, and the units from there down to it. */
export async function listAbove(db: Database, accountId: string): Promise<readonly string[]> {
  const row = await db
    .selectFrom('organization_accounts')
    .select('parent_id')
    .where('account_id', '=', accountId)
    .executeTakeFirst()
  const above: string[] = []
  for (let id = row?.parent_id; id !== undefined; id = (await findUnit(db, id))?.parentId) {
    above.unshift(id)
  }
  return above
}

/** Stores a new organization. Tells whether the account had none of its own before. */
export async function insertOrganization(tx: Tx, made: Organization): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('organizations')
    .values({
      id: made.id,
      management_account_id: made.managementAccountId,
      root_id: made.rootId,
      feature_set: made.featureSet,
      created_at_ms: made.createdAt.getTime(),
    })
    .onConflict((conflict) => conflict.column('management_account_id').doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

/** The organization that an account is in, as its management account or as a member. */
export async function findOrganizationOf(
  db: Database,
  accountId: string,
): Promise<Organization | undefined> {
  const row = await db
    .selectFrom('organizations')
    .innerJoin('organization_accounts', 'organization_accounts.organization_id', 'organizations.id')
    .selectAll('organizations')
    .where('organization_accounts.account_id', '=', accountId)
    .executeTakeFirst()
  return row && organizationFromRow(row)
}

/** What binds the callers of an account: whether it is closed, and what of its organization's policies. */
export interface Standing {
  readonly isClosed: boolean
  readonly isManagement: boolean
  readonly organizationId: string
  /** Another one after every change to the organization. */
  readonly revision: number
  /** The types of policy that are in use in the organization. */
  readonly policyTypes: readonly string[]
}

/** Where an account stands; nothing for one that is in no organization. */
export async function findStanding(db: Database, accountId: string): Promise<Standing | undefined> {
  const rows = await db
    .selectFrom('organization_accounts as member')
    .innerJoin('organizations', 'organizations.id', 'member.organization_id')
    .leftJoin('organization_policy_types as used', 'used.organization_id', 'member.organization_id')
    .select([
      'member.organization_id',
      'member.closure',
      'organizations.management_account_id',
      'organizations.revision',
      'used.type',
    ])
    .where('member.account_id', '=', accountId)
    .execute()
  const [row] = rows
  if (!row) return undefined
  return {
    isClosed: row.closure !== null,
    isManagement: row.management_account_id === accountId,
    organizationId: row.organization_id,
    revision: Number(row.revision),
    policyTypes: rows.flatMap(({ type }) => type ?? []),
  }
}

export async function findOrganization(
  db: Database,
  id: string,
): Promise<Organization | undefined> {
  const row = await db
    .selectFrom('organizations')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst()
  return row && organizationFromRow(row)
}

/** For a change: keeps others from theirs until the transaction ends. Tells whether the organization is there. */
export async function lockOrganization(tx: Tx, id: string): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('organizations')
    .set((columns) => ({ revision: columns('revision', '+', 1) }))
    .where('id', '=', id)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Throws `DuplicateOrganizationalUnitException` where the name is taken under the same parent. */
export async function insertUnit(tx: Tx, unit: Unit): Promise<void> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('organizational_units')
    .values({
      id: unit.id,
      organization_id: unit.organizationId,
      parent_id: unit.parentId,
      name: unit.name,
    })
    .onConflict((conflict) => conflict.columns(['parent_id', 'name']).doNothing())
    .executeTakeFirst()
  if (numInsertedOrUpdatedRows !== 1n) throw unitNameTaken()
}

export async function findUnit(db: Database, id: string): Promise<Unit | undefined> {
  const row = await db
    .selectFrom('organizational_units')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst()
  return row && unitFromRow(row)
}

/** All units of an organization. */
export async function listAllUnits(db: Database, organizationId: string): Promise<readonly Unit[]> {
  const rows = await db
    .selectFrom('organizational_units')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .orderBy('id')
    .execute()
  return rows.map(unitFromRow)
}

export async function renameUnit(tx: Tx, id: string, name: string): Promise<void> {
  await tx.updateTable('organizational_units').set({ name }).where('id', '=', id).execute()
}

export async function deleteUnit(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('organizational_units').where('id', '=', id).execute()
}

/** The units right below a parent, in the order of ids. */
export async function listUnits(
  db: Database,
  place: { readonly organizationId: string; readonly parentId: string },
): Promise<readonly Unit[]> {
  const rows = await db
    .selectFrom('organizational_units')
    .selectAll()
    .where('organization_id', '=', place.organizationId)
    .where('parent_id', '=', place.parentId)
    .orderBy('id')
    .execute()
  return rows.map(unitFromRow)
}

/** Puts an account into an organization. Tells whether it was in none before. */
export async function insertMember(tx: Tx, member: Member): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('organization_accounts')
    .values({
      account_id: member.accountId,
      organization_id: member.organizationId,
      parent_id: member.parentId,
      name: member.name,
      email: member.email,
      joined_method: member.joinedMethod,
      joined_at_ms: member.joinedAt.getTime(),
    })
    .onConflict((conflict) => conflict.column('account_id').doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

export async function findMember(
  db: Database,
  query: { readonly organizationId: string; readonly accountId: string },
): Promise<Member | undefined> {
  const row = await db
    .selectFrom('organization_accounts')
    .selectAll()
    .where('organization_id', '=', query.organizationId)
    .where('account_id', '=', query.accountId)
    .executeTakeFirst()
  return row && memberFromRow(row)
}

/** The accounts of an organization, or those right below one parent, in the order of ids. */
export async function listMembers(
  db: Database,
  query: { readonly organizationId: string; readonly parentId?: string },
): Promise<readonly Member[]> {
  let select = db
    .selectFrom('organization_accounts')
    .selectAll()
    .where('organization_id', '=', query.organizationId)
    .orderBy('account_id')
  if (query.parentId !== undefined) select = select.where('parent_id', '=', query.parentId)
  return (await select.execute()).map(memberFromRow)
}

/** Moves an account from one place to another. Tells whether it was at the first. */
export async function moveMember(
  tx: Tx,
  move: { readonly accountId: string; readonly from: string; readonly to: string },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('organization_accounts')
    .set({ parent_id: move.to })
    .where('account_id', '=', move.accountId)
    .where('parent_id', '=', move.from)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Takes an account out of its organization. */
export async function deleteMember(tx: Tx, accountId: string): Promise<void> {
  await tx.deleteFrom('organization_accounts').where('account_id', '=', accountId).execute()
}

/** Closes an account, or has it closed. Tells whether it was as `from` says. */
export async function setClosure(
  tx: Tx,
  accountId: string,
  { from, to }: { readonly from: Member['closure']; readonly to: 'pending' | 'done' },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('organization_accounts')
    .set({ closure: to })
    .where('account_id', '=', accountId)
    .where('closure', from === undefined ? 'is' : '=', from ?? null)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** The accounts that are being closed. */
export async function listClosing(db: Database): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('organization_accounts')
    .select('account_id')
    .where('closure', '=', 'pending')
    .execute()
  return rows.map((row) => row.account_id)
}

/** Forgets an organization, its units and who was in it. */
export async function deleteOrganizationRows(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('organization_accounts').where('organization_id', '=', id).execute()
  await tx.deleteFrom('organizational_units').where('organization_id', '=', id).execute()
  await tx.deleteFrom('organizations').where('id', '=', id).execute()
}

function organizationFromRow(row: Selectable<Tables['organizations']>): Organization {
  return {
    id: row.id,
    managementAccountId: row.management_account_id,
    rootId: row.root_id,
    featureSet: row.feature_set,
    createdAt: new Date(row.created_at_ms),
  }
}

function unitFromRow(row: Selectable<Tables['organizational_units']>): Unit {
  return {
    id: row.id,
    organizationId: row.organization_id,
    parentId: row.parent_id,
    name: row.name,
  }
}

function memberFromRow(row: Selectable<Tables['organization_accounts']>): Member {
  return {
    accountId: row.account_id,
    organizationId: row.organization_id,
    parentId: row.parent_id,
    name: row.name,
    email: row.email,
    joinedMethod: row.joined_method,
    joinedAt: new Date(row.joined_at_ms),
    closure: row.closure ?? undefined,
  }
}
