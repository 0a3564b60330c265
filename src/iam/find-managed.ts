/** The managed policy that a call names, for a caller who may do that to it. */
import type { Policy } from '@aws-sdk/client-iam'
import type { Database } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import type { ContextEntries } from '../policies/context.ts'
import { awsPolicies } from './aws-policies.ts'
import { entityArn, noSuchEntity } from './entity.ts'
import { findEntities, listBoundedBy } from './entity-store.ts'
import { type Caller, requireAllowed } from './evaluate.ts'
import { checkPolicyArn, findPolicyByArn, type ManagedPolicy } from './find-policy.ts'
import { listAttachedTo, type PolicyVersion } from './policy-store.ts'
import { tagsOnEntity } from './tag-rules.ts'
import { listEntityTags } from './tag-store.ts'

interface Call {
  readonly caller: Caller
}

/** A policy of the account, or one that every account has: of that, only the document is known. */
export type Found =
  | (ManagedPolicy & { readonly arn: string; readonly isOfAws: false })
  | { readonly arn: string; readonly isOfAws: true; readonly document: string }

/** Where the documentation of AWS has its first ones from. */
const sinceOfAws = new Date('2015-02-06T18:39:46Z')

export async function findManaged(
  db: Database,
  { caller }: Call,
  action: string,
  arn = '',
  keysOfCall: ContextEntries = {},
): Promise<Found> {
  const named = await findPolicyByArn(db, arn)
  const tags = named ? await listEntityTags(db, named.entity.id) : []
  const keys = { ...tagsOnEntity(tags), ...keysOfCall }
  requireAllowed(caller, { action: `iam:${action}`, resource: arn }, { keys })
  const document = awsPolicies.get(arn)
  if (document !== undefined) return { arn, isOfAws: true, document }
  checkPolicyArn(arn)
  if (named?.entity.accountId !== caller.accountId) throw noSuchEntity('policy', arn)
  return { ...named, arn, isOfAws: false }
}

/** One that may be changed. */
export async function requireManaged(
  db: Database,
  call: Call,
  action: string,
  arn: string | undefined,
  keysOfCall: ContextEntries = {},
): Promise<ManagedPolicy> {
  const found = await findManaged(db, call, action, arn, keysOfCall)
  if (!found.isOfAws) return found
  throw new ApiError(
    'UnauthorizedOperation',
    `User: ${call.caller.arn} is not authorized to perform: iam:${action} on resource: ` +
      `policy ${found.arn}`,
  )
}

/** How often a policy is used in an account. */
export async function countUses(db: Database, arn: string, accountId: string) {
  const attached = await findEntities(db, await listAttachedTo(db, arn))
  const bounded = await listBoundedBy(db, arn)
  const count = (entities: typeof attached) =>
    entities.filter((entity) => entity.accountId === accountId).length
  return { AttachmentCount: count(attached), PermissionsBoundaryUsageCount: count(bounded) }
}

/** Lists leave the descriptions out. */
export function viewPolicy(found: Found): Policy {
  if (found.isOfAws) {
    return {
      PolicyName: found.arn.split('/').at(-1),
      PolicyId: 'ANPAIWMBCKSKIEE64ZLYK',
      Arn: found.arn,
      Path: '/',
      DefaultVersionId: 'v1',
      IsAttachable: true,
      CreateDate: sinceOfAws,
      UpdateDate: sinceOfAws,
    }
  }
  const { entity, details } = found
  return {
    PolicyName: entity.name,
    PolicyId: entity.id,
    Arn: entityArn(entity),
    Path: entity.path,
    DefaultVersionId: `v${details.defaultVersion}`,
    IsAttachable: true,
    CreateDate: entity.createdAt,
    UpdateDate: details.updatedAt,
  }
}

/** The one version of a policy that every account has. */
export const versionOfAws = (document: string): PolicyVersion => ({
  version: 1,
  document,
  createdAt: sinceOfAws,
})

/** `v2` as a number. */
export function parseVersion(text = ''): number {
  const number = /^v([1-9]\d{0,8})$/.exec(text)?.[1]
  if (number !== undefined) return Number(number)
  throw new ApiError(
    'ValidationError',
    `1 validation error detected: Value '${text}' at 'versionId' failed to satisfy constraint: ` +
      'Member must satisfy regular expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?',
  )
}

export const viewVersion = ({ version, createdAt }: PolicyVersion, defaultVersion: number) => ({
  VersionId: `v${version}`,
  IsDefaultVersion: version === defaultVersion,
  CreateDate: createdAt,
})
