/** Takes rules from a security group: what both directions of `RevokeSecurityGroup…` do. */
import type {
  RevokeSecurityGroupEgressRequest,
  RevokeSecurityGroupIngressRequest,
  RevokeSecurityGroupIngressResult,
} from '@aws-sdk/client-ec2'
import { ApiError } from '../lib/errors.ts'
import { deleteTagsOf } from '../tags/store.ts'
import type { WriteCall } from '../wire/operation.ts'
import { deleteRule, listRulesOfGroup } from './group-store.ts'
import { viewPermissions } from './group-view.ts'
import { findOneGroup } from './lookup.ts'
import { readPermissions } from './read-permissions.ts'
import {
  isSamePermission,
  parseRuleId,
  type Permission,
  ruleNotFound,
  type SecurityGroupRule,
} from './security-group-rule.ts'
import { findVpcById } from './store.ts'

type Call = WriteCall<RevokeSecurityGroupIngressRequest | RevokeSecurityGroupEgressRequest>

export async function revoke(
  call: Call,
  isEgress: boolean,
): Promise<RevokeSecurityGroupIngressResult> {
  const { input, tx } = call
  const { group, groups } = await findOneGroup(tx, call, input)
  const there = (await listRulesOfGroup(tx, group.id)).filter((one) => one.isEgress === isEgress)
  const { found, unknown } = input.SecurityGroupRuleIds?.length
    ? findById(input.SecurityGroupRuleIds, there)
    : findByPermission(readPermissions(input, { isEgress, group, groups }), there)
  const vpc = await findVpcById(tx, group.vpcId)
  // In a default VPC the call does what it can, and tells what it could not.
  if (unknown.length > 0 && !vpc?.isDefault) {
    throw new ApiError(
      'InvalidPermission.NotFound',
      'The specified rule does not exist in this security group.',
    )
  }
  for (const { id } of found) {
    await deleteRule(tx, id)
    await deleteTagsOf(tx, id)
  }
  return {
    Return: true,
    UnknownIpPermissions: viewPermissions(unknown, group.accountId),
    RevokedSecurityGroupRules: found.map(viewRevoked),
  }
}

interface Found {
  readonly found: readonly SecurityGroupRule[]
  readonly unknown: readonly Permission[]
}

function findById(ids: readonly string[], there: readonly SecurityGroupRule[]): Found {
  const found = [...new Set(ids.map(parseRuleId))].map((id) => {
    const rule = there.find((one) => one.id === id)
    if (!rule) throw ruleNotFound(id)
    return rule
  })
  return { found, unknown: [] }
}

function findByPermission(
  permissions: readonly Permission[],
  there: readonly SecurityGroupRule[],
): Found {
  const isThere = (permission: Permission) => there.some((one) => isSamePermission(one, permission))
  return {
    found: there.filter((one) => permissions.some((wanted) => isSamePermission(one, wanted))),
    unknown: permissions.filter((permission) => !isThere(permission)),
  }
}

function viewRevoked({ id, groupId, peer, ...rule }: SecurityGroupRule) {
  return {
    SecurityGroupRuleId: id,
    GroupId: groupId,
    IsEgress: rule.isEgress,
    IpProtocol: rule.protocol,
    FromPort: rule.fromPort,
    ToPort: rule.toPort,
    CidrIpv4: peer.kind === 'ipv4' ? peer.cidr : undefined,
    CidrIpv6: peer.kind === 'ipv6' ? peer.cidr : undefined,
    ReferencedGroupId: peer.kind === 'group' ? peer.groupId : undefined,
    Description: rule.description,
  }
}
