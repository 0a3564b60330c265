/** Instance profiles: each hands one role to the instances that have it. */
import type { InstanceProfile } from '@aws-sdk/client-iam'
import type { Database } from '../db/database.ts'
import type { Tag } from '../tags/tag.ts'
import { type Entity, entityArn } from './entity.ts'
import { findEntities, findRoleDetails, type RoleDetails } from './entity-store.ts'
import { listMembers } from './membership-store.ts'
import { viewEntityTags } from './tag-rules.ts'
import { viewRole } from './trust.ts'

export interface RoleOfProfile {
  readonly role: Entity
  readonly details: RoleDetails
}

/** The role in a profile, if one is. */
export async function findRoleOfProfile(
  db: Database,
  profileId: string,
): Promise<RoleOfProfile | undefined> {
  const [role] = await findEntities(db, await listMembers(db, profileId))
  const details = role && (await findRoleDetails(db, role.id))
  return details && { role, details }
}

/** A profile as IAM answers it. Lists leave its tags out. */
export async function viewProfile(
  db: Database,
  profile: Entity,
  tags?: readonly Tag[],
): Promise<InstanceProfile> {
  const found = await findRoleOfProfile(db, profile.id)
  return {
    Path: profile.path,
    InstanceProfileName: profile.name,
    InstanceProfileId: profile.id,
    Arn: entityArn(profile),
    CreateDate: profile.createdAt,
    Roles: found ? [viewRole(found.role, found.details)] : [],
    ...(tags && { Tags: viewEntityTags(tags) }),
  }
}
