/**
 * The users, groups and roles that a managed policy is attached to, or is the boundary of.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListEntitiesForPolicy.html
 */
import type {
  ListEntitiesForPolicyRequest,
  ListEntitiesForPolicyResponse,
} from '@aws-sdk/client-iam'
import { readOperation } from '../../wire/operation.ts'
import { findEntities, listBoundedBy } from '../entity-store.ts'
import { findManaged } from '../find-managed.ts'
import { pageOf } from '../list-page.ts'
import { listAttachedTo } from '../policy-store.ts'

const kinds = { User: 'user', Group: 'group', Role: 'role' } as const

export const listEntitiesForPolicy = readOperation<
  ListEntitiesForPolicyRequest,
  ListEntitiesForPolicyResponse
>({
  service: 'iam',
  action: 'ListEntitiesForPolicy',
  demands: () => [],

  async run(call) {
    const { db, input, caller } = call
    const { EntityFilter: filter, PathPrefix = '/', PolicyUsageFilter: usage } = input
    const { arn } = await findManaged(db, call, 'ListEntitiesForPolicy', input.PolicyArn)
    const attached =
      usage === 'PermissionsBoundary' ? [] : await findEntities(db, await listAttachedTo(db, arn))
    const bounded = usage === 'PermissionsPolicy' ? [] : await listBoundedBy(db, arn)
    const all = [...new Map([...attached, ...bounded].map((one) => [one.id, one])).values()]
    const kind = filter !== undefined && filter in kinds ? kinds[filter as 'User'] : undefined
    const wanted = all.filter(
      (one) =>
        one.accountId === caller.accountId &&
        one.path.startsWith(PathPrefix) &&
        (filter === undefined || one.kind === kind),
    )
    const { items, ...rest } = pageOf(wanted, input, ({ id }) => id)
    const of = (wantedKind: string) => items.filter((one) => one.kind === wantedKind)
    return {
      PolicyUsers: of('user').map(({ name, id }) => ({ UserName: name, UserId: id })),
      PolicyGroups: of('group').map(({ name, id }) => ({ GroupName: name, GroupId: id })),
      PolicyRoles: of('role').map(({ name, id }) => ({ RoleName: name, RoleId: id })),
      ...rest,
    }
  },
})
