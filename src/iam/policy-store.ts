/**
 * The tables of policies: managed ones and their versions, what they are attached to, and
 * the inline ones that belong to one user, group or role. Nothing else reads or writes them.
 */
import type { Selectable } from 'kysely'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'

/** What a managed policy has beside its name. */
export interface PolicyDetails {
  readonly policyId: string
  readonly description: string | undefined
  readonly defaultVersion: number
  /** Numbers of versions are not given out again. */
  readonly newestVersion: number
  readonly updatedAt: Date
}

export interface PolicyVersion {
  readonly version: number
  readonly document: string
  readonly createdAt: Date
}

export interface InlinePolicy {
  readonly name: string
  readonly document: string
}

/** Stores what a managed policy has, or changes it. */
export async function putPolicyDetails(tx: Tx, details: PolicyDetails): Promise<void> {
  const { policyId, description, defaultVersion, newestVersion, updatedAt } = details
  const changing = {
    description: description ?? null,
    default_version: defaultVersion,
    newest_version: newestVersion,
    updated_at_ms: updatedAt.getTime(),
  }
  await tx
    .insertInto('iam_policies')
    .values({ policy_id: policyId, ...changing })
    .onConflict((conflict) => conflict.column('policy_id').doUpdateSet(changing))
    .execute()
}

export async function findPolicyDetails(
  db: Database,
  policyId: string,
): Promise<PolicyDetails | undefined> {
  const row = await db
    .selectFrom('iam_policies')
    .selectAll()
    .where('policy_id', '=', policyId)
    .executeTakeFirst()
  return (
    row && {
      policyId,
      description: row.description ?? undefined,
      defaultVersion: row.default_version,
      newestVersion: row.newest_version,
      updatedAt: new Date(row.updated_at_ms),
    }
  )
}

export async function insertVersion(
  tx: Tx,
  policyId: string,
  { version, document, createdAt }: PolicyVersion,
): Promise<void> {
  await tx
    .insertInto('iam_policy_versions')
    .values({ policy_id: policyId, version, document, created_at_ms: createdAt.getTime() })
    .execute()
}

/** Tells whether there was such a version. */
export async function deleteVersion(tx: Tx, policyId: string, version: number): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('iam_policy_versions')
    .where('policy_id', '=', policyId)
    .where('version', '=', version)
    .executeTakeFirst()
  return numDeletedRows === 1n
}

/** The versions of a policy, the newest first. */
export async function listVersions(
  db: Database,
  policyId: string,
): Promise<readonly PolicyVersion[]> {
  const rows = await db
    .selectFrom('iam_policy_versions')
    .selectAll()
    .where('policy_id', '=', policyId)
    .orderBy('version', 'desc')
    .execute()
  return rows.map(versionFromRow)
}

/** The document of each policy that counts: that of its default version. */
export async function listDefaultDocuments(
  db: Database,
  policyIds: readonly string[],
): Promise<readonly { readonly policyId: string; readonly document: string }[]> {
  if (policyIds.length === 0) return []
  const rows = await db
    .selectFrom('iam_policies')
    .innerJoin('iam_policy_versions', (join) =>
      join
        .onRef('iam_policy_versions.policy_id', '=', 'iam_policies.policy_id')
        .onRef('iam_policy_versions.version', '=', 'iam_policies.default_version'),
    )
    .select(['iam_policies.policy_id', 'document'])
    .where('iam_policies.policy_id', 'in', policyIds)
    .execute()
  return rows.map(({ policy_id: policyId, document }) => ({ policyId, document }))
}

/** Forgets a policy with all of its versions. */
export async function deletePolicyDetails(tx: Tx, policyId: string): Promise<void> {
  await tx.deleteFrom('iam_policy_versions').where('policy_id', '=', policyId).execute()
  await tx.deleteFrom('iam_policies').where('policy_id', '=', policyId).execute()
}

/** Attaches a policy to a user, group or role. Tells whether it was not attached before. */
export async function attachPolicy(tx: Tx, ownerId: string, policyArn: string): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('iam_attachments')
    .values({ owner_id: ownerId, policy_arn: policyArn })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

/** Tells whether it was attached. */
export async function detachPolicy(tx: Tx, ownerId: string, policyArn: string): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('iam_attachments')
    .where('owner_id', '=', ownerId)
    .where('policy_arn', '=', policyArn)
    .executeTakeFirst()
  return numDeletedRows === 1n
}

/** The ARNs of what is attached to any of these. */
export async function listAttached(
  db: Database,
  ownerIds: readonly string[],
): Promise<readonly string[]> {
  if (ownerIds.length === 0) return []
  const rows = await db
    .selectFrom('iam_attachments')
    .select('policy_arn')
    .distinct()
    .where('owner_id', 'in', ownerIds)
    .orderBy('policy_arn')
    .execute()
  return rows.map((row) => row.policy_arn)
}

/** Whom a policy is attached to. */
export async function listAttachedTo(db: Database, policyArn: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('iam_attachments')
    .select('owner_id')
    .where('policy_arn', '=', policyArn)
    .orderBy('owner_id')
    .execute()
  return rows.map((row) => row.owner_id)
}

/** Stores an inline policy, or gives the one of that name its new document. */
export async function putInlinePolicy(
  tx: Tx,
  ownerId: string,
  policy: InlinePolicy,
): Promise<void> {
  const { name, document } = policy
  await tx
    .insertInto('iam_inline_policies')
    .values({ owner_id: ownerId, name, document })
    .onConflict((conflict) => conflict.columns(['owner_id', 'name']).doUpdateSet({ document }))
    .execute()
}

/** Tells whether there was one. */
export async function deleteInlinePolicy(tx: Tx, ownerId: string, name: string): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('iam_inline_policies')
    .where('owner_id', '=', ownerId)
    .where('name', '=', name)
    .executeTakeFirst()
  return numDeletedRows === 1n
}

/** The inline policies of these, by owner and name. */
export async function listInlinePolicies(
  db: Database,
  ownerIds: readonly string[],
): Promise<readonly (InlinePolicy & { readonly ownerId: string })[]> {
  if (ownerIds.length === 0) return []
  const rows = await db
    .selectFrom('iam_inline_policies')
    .selectAll()
    .where('owner_id', 'in', ownerIds)
    .orderBy('owner_id')
    .orderBy('name')
    .execute()
  return rows.map(({ owner_id: ownerId, name, document }) => ({ ownerId, name, document }))
}

function versionFromRow(row: Selectable<Tables['iam_policy_versions']>): PolicyVersion {
  return {
    version: row.version,
    document: row.document,
    createdAt: new Date(row.created_at_ms),
  }
}
