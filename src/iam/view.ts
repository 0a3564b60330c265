/** What IAM keeps, as its calls answer it. */
import type { AccessKeyMetadata, Group, User } from '@aws-sdk/client-iam'
import type { Tag } from '../tags/tag.ts'
import { type Entity, entityArn } from './entity.ts'
import { viewEntityTags } from './tag-rules.ts'
import type { UserKey } from './user-key-store.ts'

export const viewBoundary = ({ boundaryArn }: Entity) =>
  boundaryArn === undefined
    ? undefined
    : ({
        PermissionsBoundaryType: 'PermissionsBoundaryPolicy',
        PermissionsBoundaryArn: boundaryArn,
      } as const)

/** Lists of users leave their boundaries out. */
export const viewListedUser = (user: Entity): User => ({
  Path: user.path,
  UserName: user.name,
  UserId: user.id,
  Arn: entityArn(user),
  CreateDate: user.createdAt,
})

export function viewUser(user: Entity, tags: readonly Tag[] = []): User {
  const PermissionsBoundary = viewBoundary(user)
  return {
    ...viewListedUser(user),
    ...(PermissionsBoundary && { PermissionsBoundary }),
    ...(tags.length > 0 && { Tags: viewEntityTags(tags) }),
  }
}

export const viewGroup = (group: Entity): Group => ({
  Path: group.path,
  GroupName: group.name,
  GroupId: group.id,
  Arn: entityArn(group),
  CreateDate: group.createdAt,
})

export const viewKey = (user: Entity, key: UserKey): AccessKeyMetadata => ({
  UserName: user.name,
  AccessKeyId: key.id,
  Status: key.isActive ? 'Active' : 'Inactive',
  CreateDate: key.createdAt,
})
