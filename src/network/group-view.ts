/** Security groups and their rules as EC2 answers them. */
import type {
  IpPermission,
  SecurityGroup as GroupOutput,
  SecurityGroupRule as RuleOutput,
} from '@aws-sdk/client-ec2'
import type { Tag } from '../tags/tag.ts'
import { viewTags } from '../tags/view.ts'
import type { Permission, SecurityGroupRule } from './security-group-rule.ts'
import type { SecurityGroup } from './security-group.ts'

export interface GroupFacts {
  readonly group: SecurityGroup
  readonly rules: readonly SecurityGroupRule[]
  /** The names of all groups that a rule can name, by their ids. */
  readonly names: ReadonlyMap<string, string>
  readonly tags: readonly Tag[]
}

export const groupArn = ({ id, accountId, region }: Omit<SecurityGroup, 'vpcId'>): string =>
  `arn:aws:ec2:${region}:${accountId}:security-group/${id}`

export function viewGroup({ group, rules, tags }: Omit<GroupFacts, 'names'>): GroupOutput {
  return {
    GroupId: group.id,
    GroupName: group.name,
    Description: group.description,
    OwnerId: group.accountId,
    VpcId: group.vpcId,
    SecurityGroupArn: groupArn(group),
    IpPermissions: viewPermissions(
      rules.filter((rule) => !rule.isEgress),
      group.accountId,
    ),
    IpPermissionsEgress: viewPermissions(
      rules.filter((rule) => rule.isEgress),
      group.accountId,
    ),
    Tags: tags.length > 0 ? viewTags(tags) : undefined,
  }
}

/** Brings the rules of one protocol and range together, with all their peers. */
export function viewPermissions(
  permissions: readonly Permission[],
  accountId: string,
): IpPermission[] {
  const byTraffic = Map.groupBy(permissions, (one) =>
    [one.protocol, one.fromPort, one.toPort].join(' '),
  )
  return [...byTraffic.values()].flatMap((same) => same.slice(0, 1).map((one) => view(one, same)))

  function view(one: Permission, same: readonly Permission[]): IpPermission {
    const isAll = one.protocol === '-1'
    return {
      IpProtocol: one.protocol,
      FromPort: isAll ? undefined : one.fromPort,
      ToPort: isAll ? undefined : one.toPort,
      UserIdGroupPairs: same.flatMap(({ peer, description: Description }) =>
        peer.kind === 'group' ? [{ GroupId: peer.groupId, UserId: accountId, Description }] : [],
      ),
      IpRanges: same.flatMap(({ peer, description: Description }) =>
        peer.kind === 'ipv4' ? [{ CidrIp: peer.cidr, Description }] : [],
      ),
      Ipv6Ranges: same.flatMap(({ peer, description: Description }) =>
        peer.kind === 'ipv6' ? [{ CidrIpv6: peer.cidr, Description }] : [],
      ),
      PrefixListIds: [],
    }
  }
}

export function viewRule(rule: SecurityGroupRule, tags: readonly Tag[]): RuleOutput {
  const { peer, accountId } = rule
  return {
    SecurityGroupRuleId: rule.id,
    SecurityGroupRuleArn: `arn:aws:ec2:${rule.region}:${accountId}:security-group-rule/${rule.id}`,
    GroupId: rule.groupId,
    GroupOwnerId: accountId,
    IsEgress: rule.isEgress,
    IpProtocol: rule.protocol,
    FromPort: rule.fromPort,
    ToPort: rule.toPort,
    CidrIpv4: peer.kind === 'ipv4' ? peer.cidr : undefined,
    CidrIpv6: peer.kind === 'ipv6' ? peer.cidr : undefined,
    ReferencedGroupInfo:
      peer.kind === 'group' ? { GroupId: peer.groupId, UserId: accountId } : undefined,
    Description: rule.description,
    Tags: viewTags(tags),
  }
}
