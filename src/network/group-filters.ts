/** What the filters of `DescribeSecurityGroups` and `DescribeSecurityGroupRules` look at. */
import type { FilterTable } from '../lib/filters.ts'
import type { GroupFacts } from './group-view.ts'
import type { SecurityGroupRule } from './security-group-rule.ts'

type Look = (rule: SecurityGroupRule, names: GroupFacts['names']) => string | number | undefined

/** What a filter asks of the rules of either direction. */
const ofRules: Readonly<Record<string, Look>> = {
  cidr: ({ peer }) => (peer.kind === 'ipv4' ? peer.cidr : undefined),
  'from-port': ({ protocol, fromPort }) => (protocol === '-1' ? undefined : fromPort),
  'group-id': ({ peer }) => (peer.kind === 'group' ? peer.groupId : undefined),
  'group-name': ({ peer }, names) => (peer.kind === 'group' ? names.get(peer.groupId) : undefined),
  'ipv6-cidr': ({ peer }) => (peer.kind === 'ipv6' ? peer.cidr : undefined),
  // There are no prefix lists.
  'prefix-list-id': () => undefined,
  protocol: ({ protocol }) => protocol,
  'to-port': ({ protocol, toPort }) => (protocol === '-1' ? undefined : toPort),
  'user-id': ({ peer, accountId }) => (peer.kind === 'group' ? accountId : undefined),
}

const directions = { 'ip-permission': false, 'egress.ip-permission': true }

const ruleFiltersOfGroup = Object.entries(directions).flatMap(([prefix, isEgress]) =>
  Object.entries(ofRules).map(([name, look]) => [
    `${prefix}.${name}`,
    ({ rules, names }: GroupFacts) =>
      rules.filter((rule) => rule.isEgress === isEgress).map((rule) => look(rule, names)),
  ]),
)

export const groupFilters: FilterTable<GroupFacts> = {
  ...(Object.fromEntries(ruleFiltersOfGroup) as FilterTable<GroupFacts>),
  description: ({ group }) => group.description,
  'group-id': ({ group }) => group.id,
  'group-name': ({ group }) => group.name,
  'owner-id': ({ group }) => group.accountId,
  'vpc-id': ({ group }) => group.vpcId,
}

export const ruleFilters: FilterTable<SecurityGroupRule> = {
  'group-id': ({ groupId }) => groupId,
  'security-group-rule-id': ({ id }) => id,
}
