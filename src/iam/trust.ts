/** Roles: who may take them, and for how long at once. */
import type { Role } from '@aws-sdk/client-iam'
import { ApiError } from '../lib/errors.ts'
import { parsePolicy } from '../policies/parse.ts'
import { lengthOf, policyKinds } from '../policies/policy.ts'
import type { Tag } from '../tags/tag.ts'
import { viewDocument } from './document.ts'
import { type Entity, entityArn } from './entity.ts'
import type { RoleDetails } from './entity-store.ts'
import { viewEntityTags } from './tag-rules.ts'
import { viewBoundary } from './view.ts'

export const sessionSecondsUsual = 3600
const sessionSecondsLimit = 43_200

/** Refuses what is no trust policy. */
export function checkTrust(document: string): string {
  parsePolicy(document, 'trust')
  const { lengthMax } = policyKinds.trust
  if (lengthOf(document) <= lengthMax) return document
  throw new ApiError('LimitExceeded', `Cannot exceed quota for ACLSizePerRole: ${lengthMax}`)
}

export function checkSessionMax(seconds: number): number {
  if (seconds >= sessionSecondsUsual && seconds <= sessionSecondsLimit) return seconds
  const bound =
    seconds < sessionSecondsUsual
      ? `greater than or equal to ${sessionSecondsUsual}`
      : `less than or equal to ${sessionSecondsLimit}`
  throw new ApiError(
    'ValidationError',
    `1 validation error detected: Value '${seconds}' at 'maxSessionDuration' failed to satisfy ` +
      `constraint: Member must have value ${bound}`,
  )
}

/** Lists of roles leave their tags out. */
export function viewRole(role: Entity, details: RoleDetails, tags: readonly Tag[] = []): Role {
  const PermissionsBoundary = viewBoundary(role)
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: entityArn(role),
    CreateDate: role.createdAt,
    AssumeRolePolicyDocument: viewDocument(details.trustPolicy),
    Description: details.description,
    MaxSessionDuration: details.sessionSecondsMax,
    ...(PermissionsBoundary && { PermissionsBoundary }),
    ...(tags.length > 0 && { Tags: viewEntityTags(tags) }),
  }
}
