/**
 * The tables of an organization's policies, of the types that are in use, and of what is
 * attached where. Nothing else reads or writes them.
 */
import { type Selectable, sql } from 'kysely'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import { duplicatePolicy, fullAccess, type OrganizationPolicy, type PolicyType } from './policy.ts'

/** Where something is attached. */
export interface Attachment {
  readonly organizationId: string
  readonly targetId: string
  readonly policyId: string
  readonly type: PolicyType
}

/** Throws `DuplicatePolicyException` where the name is taken. */
export async function insertPolicy(
  tx: Tx,
  organizationId: string,
  policy: OrganizationPolicy,
): Promise<void> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('organization_policies')
    .values({
      id: policy.id,
      organization_id: organizationId,
      type: policy.type,
      name: policy.name,
      description: policy.description,
      content: policy.content,
      changed_at_ms: policy.changedAt.getTime(),
    })
    .onConflict((conflict) => conflict.columns(['organization_id', 'type', 'name']).doNothing())
    .executeTakeFirst()
  if (numInsertedOrUpdatedRows !== 1n) throw duplicatePolicy()
}

export async function changePolicy(tx: Tx, policy: OrganizationPolicy): Promise<void> {
  await tx
    .updateTable('organization_policies')
    .set({
      name: policy.name,
      description: policy.description,
      content: policy.content,
      changed_at_ms: policy.changedAt.getTime(),
    })
    .where('id', '=', policy.id)
    .execute()
}

export async function deletePolicy(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('organization_policies').where('id', '=', id).execute()
}

export async function findPolicy(
  db: Database,
  query: { readonly organizationId: string; readonly id: string },
): Promise<OrganizationPolicy | undefined> {
  if (query.id === fullAccess.id) return fullAccess
  const row = await db
    .selectFrom('organization_policies')
    .selectAll()
    .where('organization_id', '=', query.organizationId)
    .where('id', '=', query.id)
    .executeTakeFirst()
  return row && policyFromRow(row)
}

/** All policies of a type, that of AWS too, in the order of ids. */
export async function listPolicies(
  db: Database,
  query: { readonly organizationId: string; readonly type: PolicyType },
): Promise<readonly OrganizationPolicy[]> {
  const rows = await db
    .selectFrom('organization_policies')
    .selectAll()
    .where('organization_id', '=', query.organizationId)
    .where('type', '=', query.type)
    .execute()
  const own = rows.map(policyFromRow)
  const all = query.type === fullAccess.type ? [...own, fullAccess] : own
  return all.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

/** The types that are in use in an organization. */
export async function listEnabledTypes(
  db: Database,
  organizationId: string,
): Promise<readonly PolicyType[]> {
  const rows = await db
    .selectFrom('organization_policy_types')
    .select('type')
    .where('organization_id', '=', organizationId)
    .orderBy('type', 'desc')
    .execute()
  return rows.map(({ type }) => type as PolicyType)
}

/** Takes a type into use. Tells whether it was in none. */
export async function enableType(
  tx: Tx,
  organizationId: string,
  type: PolicyType,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('organization_policy_types')
    .values({ organization_id: organizationId, type })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

/** Takes a type out of use: what was attached of it no longer is. Tells whether it was in use. */
export async function disableType(
  tx: Tx,
  organizationId: string,
  type: PolicyType,
): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('organization_policy_types')
    .where('organization_id', '=', organizationId)
    .where('type', '=', type)
    .executeTakeFirst()
  await tx
    .deleteFrom('organization_policy_attachments')
    .where('organization_id', '=', organizationId)
    .where('type', '=', type)
    .execute()
  return numDeletedRows === 1n
}

/** Attaches a policy. Tells whether it was not yet. */
export async function insertAttachment(
  tx: Tx,
  { organizationId, targetId, policyId, type }: Attachment,
  at: Date,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('organization_policy_attachments')
    .values({
      target_id: targetId,
      policy_id: policyId,
      type,
      organization_id: organizationId,
      attached_at_ms: at.getTime(),
    })
    .onConflict((conflict) => conflict.columns(['target_id', 'policy_id']).doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

export async function deleteAttachment(
  tx: Tx,
  { targetId, policyId }: Pick<Attachment, 'targetId' | 'policyId'>,
): Promise<void> {
  await tx
    .deleteFrom('organization_policy_attachments')
    .where('target_id', '=', targetId)
    .where('policy_id', '=', policyId)
    .execute()
}

/** Detaches everything from a unit or an account that leaves. */
export async function deleteAttachmentsOf(tx: Tx, targetId: string): Promise<void> {
  await tx.deleteFrom('organization_policy_attachments').where('target_id', '=', targetId).execute()
}

/** What is attached: to a target, or of a policy, in the order of ids. */
export async function listAttachments(
  db: Database,
  query: { readonly organizationId: string } & (
    | { readonly targetId: string; readonly type: PolicyType }
    | { readonly policyId: string }
  ),
): Promise<readonly Attachment[]> {
  const all = db
    .selectFrom('organization_policy_attachments')
    .selectAll()
    .where('organization_id', '=', query.organizationId)
  const some =
    'policyId' in query
      ? all.where('policy_id', '=', query.policyId).orderBy('target_id')
      : all
          .where('target_id', '=', query.targetId)
          .where('type', '=', query.type)
          .orderBy('policy_id')
  const rows = await some.execute()
  return rows.map((row) => ({
    organizationId: row.organization_id,
    targetId: row.target_id,
    policyId: row.policy_id,
    type: row.type as PolicyType,
  }))
}

/** Forgets all policies of an organization that ends. */
export async function deletePoliciesOf(tx: Tx, organizationId: string): Promise<void> {
  const tables = [
    'organization_policy_attachments',
    'organization_policy_types',
    'organization_policies',
  ] as const
  for (const table of tables) {
    await tx.deleteFrom(table).where('organization_id', '=', organizationId).execute()
  }
}

/** A policy that holds for an account, and from how high above: 0 where it is the account's own. */
export interface Inherited {
  readonly height: number
  /** Nothing stands for a level with no policy of the type. */
  readonly policy: Pick<OrganizationPolicy, 'id' | 'name' | 'content' | 'changedAt'> | undefined
}

/** What holds for an account, from the root down to itself: every level of the tree is there. */
export async function listInherited(
  db: Database,
  accountId: string,
  type: PolicyType,
): Promise<readonly Inherited[]> {
  const rows = await db
    .withRecursive('above(id, height)', (cte) =>
      cte
        .selectFrom('organization_accounts')
        .select(['parent_id as id', sql<number>`1`.as('height')])
        .where('account_id', '=', accountId)
        .unionAll(
          cte
            .selectFrom('organizational_units')
            .innerJoin('above', 'above.id', 'organizational_units.id')
            .select((all) => [
              'organizational_units.parent_id as id',
              all('above.height', '+', 1).as('height'),
            ]),
        ),
    )
    .with('levels', (cte) =>
      cte
        .selectFrom('above')
        .select(['id', 'height'])
        .unionAll(
          cte
            .selectFrom('organization_accounts')
            .select(['account_id as id', sql<number>`0`.as('height')])
            .where('account_id', '=', accountId),
        ),
    )
    .selectFrom('levels')
    .leftJoin('organization_policy_attachments as attached', (join) =>
      join.onRef('attached.target_id', '=', 'levels.id').on('attached.type', '=', type),
    )
    .leftJoin('organization_policies as policy', 'policy.id', 'attached.policy_id')
    .select([
      'levels.height',
      'attached.policy_id',
      'attached.attached_at_ms',
      'policy.name',
      'policy.content',
      'policy.changed_at_ms',
    ])
    .orderBy('levels.height', 'desc')
    .orderBy('attached.attached_at_ms')
    .orderBy('attached.policy_id')
    .execute()
  return rows.map((row) => {
    const { policy_id: id, name, content, attached_at_ms: attachedAt, changed_at_ms } = row
    const height = Number(row.height)
    if (id === null) return { height, policy: undefined }
    if (id === fullAccess.id) return { height, policy: fullAccess }
    const changedAt = new Date(Math.max(Number(changed_at_ms), Number(attachedAt)))
    return { height, policy: { id, name: name ?? '', content: content ?? '', changedAt } }
  })
}

function policyFromRow(row: Selectable<Tables['organization_policies']>): OrganizationPolicy {
  return {
    id: row.id,
    type: row.type as PolicyType,
    name: row.name,
    description: row.description,
    content: row.content,
    changedAt: new Date(row.changed_at_ms),
  }
}
