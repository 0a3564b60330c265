/** Managed policies and their versions: made, changed and counted in one transaction. */
import type { Tx } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import { parsePolicy } from '../policies/parse.ts'
import { requireInlineLength, requireManagedLength } from '../policies/policy.ts'
import {
  beyondQuota,
  type Entity,
  entityArn,
  entityExists,
  noSuchEntity,
  quotas,
} from './entity.ts'
import { insertEntity, lockEntity } from './entity-store.ts'
import { type ManagedPolicy, requireAttachable } from './find-policy.ts'
import {
  attachPolicy,
  deleteVersion,
  findPolicyDetails,
  insertVersion,
  listAttached,
  listInlinePolicies,
  listVersions,
  type PolicyDetails,
  type PolicyVersion,
  putInlinePolicy,
  putPolicyDetails,
} from './policy-store.ts'

/** Makes a managed policy with its first version. */
export async function makePolicy(
  tx: Tx,
  entity: Entity,
  {
    description,
    document,
  }: { readonly description: string | undefined; readonly document: string },
): Promise<PolicyDetails> {
  checkManaged(document)
  if (!(await insertEntity(tx, entity))) throw entityExists('policy', entity.name)
  const details = {
    policyId: entity.id,
    description,
    defaultVersion: 1,
    newestVersion: 1,
    updatedAt: entity.createdAt,
  }
  await putPolicyDetails(tx, details)
  await insertVersion(tx, entity.id, { version: 1, document, createdAt: entity.createdAt })
  return details
}

/** Adds a version, which counts from now on where `setAsDefault` says so. */
export async function addVersion(
  tx: Tx,
  { entity }: ManagedPolicy,
  wanted: { readonly document: string; readonly setAsDefault: boolean; readonly now: Date },
): Promise<PolicyVersion> {
  const { document, setAsDefault, now } = wanted
  checkManaged(document)
  const details = await lockedDetails(tx, entity)
  const versions = await listVersions(tx, entity.id)
  if (versions.length >= quotas.VersionsPerPolicy) {
    throw new ApiError(
      'LimitExceeded',
      `A managed policy can have up to ${quotas.VersionsPerPolicy} versions. ` +
        'Before you create a new version, you must delete an existing version.',
    )
  }
  const version = { version: details.newestVersion + 1, document, createdAt: now }
  await insertVersion(tx, entity.id, version)
  await putPolicyDetails(tx, {
    ...details,
    newestVersion: version.version,
    defaultVersion: setAsDefault ? version.version : details.defaultVersion,
    updatedAt: now,
  })
  return version
}

/** Lets another version count. */
export async function setDefaultVersion(
  tx: Tx,
  { entity }: ManagedPolicy,
  { version, now }: { readonly version: number; readonly now: Date },
): Promise<void> {
  const details = await lockedDetails(tx, entity)
  const versions = await listVersions(tx, entity.id)
  if (!versions.some((one) => one.version === version))
    throw noSuchVersion(entityArn(entity), version)
  await putPolicyDetails(tx, { ...details, defaultVersion: version, updatedAt: now })
}

/** Deletes a version that does not count. */
export async function removeVersion(
  tx: Tx,
  { entity }: ManagedPolicy,
  version: number,
): Promise<void> {
  const details = await lockedDetails(tx, entity)
  if (details.defaultVersion === version) {
    throw new ApiError('DeleteConflict', 'Cannot delete the default version of a policy.')
  }
  if (!(await deleteVersion(tx, entity.id, version)))
    throw noSuchVersion(entityArn(entity), version)
}

/** Attaches a policy to a user, group or role. Doing so twice changes nothing. */
export async function attach(tx: Tx, owner: Entity, policyArn: string): Promise<void> {
  if (!(await lockEntity(tx, owner.id))) throw noSuchEntity(owner.kind, owner.name)
  await requireAttachable(tx, policyArn, owner.accountId)
  await attachPolicy(tx, owner.id, policyArn)
  const attached = await listAttached(tx, [owner.id])
  const quota = attachmentQuota[owner.kind as keyof typeof attachmentQuota]
  if (attached.length > quotas[quota]) throw beyondQuota(quota)
}

const attachmentQuota = {
  user: 'AttachedPoliciesPerUser',
  group: 'AttachedPoliciesPerGroup',
  role: 'AttachedPoliciesPerRole',
} as const

/** Puts an inline policy; what all of the owner's say is limited in length. */
export async function putInline(
  tx: Tx,
  owner: Entity & { readonly kind: keyof typeof attachmentQuota },
  policy: { readonly name: string; readonly document: string },
): Promise<void> {
  parsePolicy(policy.document, `inline of a ${owner.kind}`)
  if (!(await lockEntity(tx, owner.id))) throw noSuchEntity(owner.kind, owner.name)
  await putInlinePolicy(tx, owner.id, policy)
  const all = await listInlinePolicies(tx, [owner.id])
  requireInlineLength(
    all.map(({ document }) => document),
    owner,
  )
}

function checkManaged(document: string): void {
  parsePolicy(document, 'managed')
  requireManagedLength(document)
}

async function lockedDetails(tx: Tx, entity: Entity): Promise<PolicyDetails> {
  const isThere = await lockEntity(tx, entity.id)
  const details = isThere ? await findPolicyDetails(tx, entity.id) : undefined
  if (details) return details
  throw noSuchEntity('policy', entity.name)
}

/** Versions are named by the ARN of their policy. */
export const noSuchVersion = (arn: string, version: number): ApiError =>
  new ApiError('NoSuchEntity', `Policy ${arn} version v${version} does not exist.`)
