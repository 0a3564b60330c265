/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html */
import type {
  DescribeSecurityGroupsRequest,
  DescribeSecurityGroupsResult,
} from '@aws-sdk/client-ec2'
import { checkFilters, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { listTags } from '../../tags/store.ts'
import { readOperation } from '../../wire/operation.ts'
import { groupFilters } from '../group-filters.ts'
import { listGroups, listRules } from '../group-store.ts'
import { viewGroup } from '../group-view.ts'
import { groupNotFound, parseGroupId, type SecurityGroup } from '../security-group.ts'
import { findDefaultVpc } from '../store.ts'

export const describeSecurityGroups = readOperation<
  DescribeSecurityGroupsRequest,
  DescribeSecurityGroupsResult
>({
  action: 'DescribeSecurityGroups',
  async run({ input, db, caller, region }) {
    const { Filters } = input
    checkFilters(Filters, groupFilters)
    const owner = { accountId: caller.accountId, region }
    const all = await listGroups(db, owner)
    const vpc = await findDefaultVpc(db, owner)
    const named = namedGroups(input, all, vpc?.id)
    const rules = Map.groupBy(await listRules(db, owner), ({ groupId }) => groupId)
    const names = new Map(all.map(({ id, name }) => [id, name]))
    const tags = await listTags(db, { ...owner, resourceType: 'security-group' })
    const matching = all
      .filter(({ id }) => !named || named.has(id))
      .map((group) => ({
        group,
        rules: rules.get(group.id) ?? [],
        names,
        tags: tags.get(group.id) ?? [],
      }))
      .filter((facts) => matchesFilters(facts, Filters, groupFilters, facts.tags))
    const { items, NextToken } = page(matching, input, ({ group }) => group.id)
    return { SecurityGroups: items.map(viewGroup), NextToken }
  },
})

/** The groups that the call names; nothing where it names none, and all are meant. */
function namedGroups(
  { GroupIds = [], GroupNames = [] }: DescribeSecurityGroupsRequest,
  all: readonly SecurityGroup[],
  defaultVpcId: string | undefined,
): ReadonlySet<string> | undefined {
  if (GroupIds.length + GroupNames.length === 0) return undefined
  const ids = GroupIds.map(parseGroupId)
  for (const id of ids) if (!all.some((group) => group.id === id)) throw groupNotFound(id)
  const byName = GroupNames.map((name) => {
    const group = all.find((one) => one.vpcId === defaultVpcId && one.name === name)
    if (!group) throw groupNotFound(name)
    return group.id
  })
  return new Set([...ids, ...byName])
}
