/** Adds rules to a security group: what both directions of `AuthorizeSecurityGroup…` do. */
import type {
  AuthorizeSecurityGroupEgressRequest,
  AuthorizeSecurityGroupIngressRequest,
  AuthorizeSecurityGroupIngressResult,
} from '@aws-sdk/client-ec2'
import { ApiError } from '../lib/errors.ts'
import { tagsOnCreate } from '../tags/on-create.ts'
import { putTags } from '../tags/store.ts'
import type { WriteCall } from '../wire/operation.ts'
import { ruleOf } from './defaults.ts'
import { insertRules, listRulesOfGroup } from './group-store.ts'
import { viewRule } from './group-view.ts'
import { findOneGroup } from './lookup.ts'
import { readPermissions } from './read-permissions.ts'
import {
  describePermission,
  isSamePermission,
  type Permission,
  rulesMax,
} from './security-group-rule.ts'

type Call = WriteCall<AuthorizeSecurityGroupIngressRequest | AuthorizeSecurityGroupEgressRequest>

export async function authorize(
  call: Call,
  isEgress: boolean,
): Promise<AuthorizeSecurityGroupIngressResult> {
  const { input, tx, newId, caller, region } = call
  const tags =
    tagsOnCreate(input.TagSpecifications, ['security-group-rule']).get('security-group-rule') ?? []
  const { group, groups } = await findOneGroup(tx, call, input)
  const permissions = readPermissions(input, { isEgress, group, groups })
  const there = await listRulesOfGroup(tx, group.id)
  checkNew(permissions, there)
  const added = permissions.map((permission) => ruleOf(group, permission, newId))
  const count = there.filter((rule) => rule.isEgress === isEgress).length + added.length
  if (count > rulesMax) {
    throw new ApiError(
      'RulesPerSecurityGroupLimitExceeded',
      'The maximum number of rules per security group has been reached.',
    )
  }
  await insertRules(tx, added)
  const owner = { accountId: caller.accountId, region }
  for (const { id } of added) {
    await putTags(tx, { ...owner, resourceType: 'security-group-rule', resourceId: id, tags })
  }
  return { Return: true, SecurityGroupRules: added.map((rule) => viewRule(rule, tags)) }
}

function checkNew(permissions: readonly Permission[], there: readonly Permission[]): void {
  for (const [index, permission] of permissions.entries()) {
    const isTwice = permissions.slice(0, index).some((one) => isSamePermission(one, permission))
    if (isTwice) {
      throw new ApiError(
        'InvalidParameterValue',
        'The same permission must not appear multiple times',
      )
    }
    if (!there.some((one) => isSamePermission(one, permission))) continue
    throw new ApiError(
      'InvalidPermission.Duplicate',
      `the specified rule "${describePermission(permission)}" already exists`,
    )
  }
}
