/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroupRules.html */
import type {
  DescribeSecurityGroupRulesRequest,
  DescribeSecurityGroupRulesResult,
} from '@aws-sdk/client-ec2'
import { checkFilters, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { listTags } from '../../tags/store.ts'
import { readOperation } from '../../wire/operation.ts'
import { ruleFilters } from '../group-filters.ts'
import { listRules } from '../group-store.ts'
import { viewRule } from '../group-view.ts'
import { parseRuleId, ruleNotFound } from '../security-group-rule.ts'

export const describeSecurityGroupRules = readOperation<
  DescribeSecurityGroupRulesRequest,
  DescribeSecurityGroupRulesResult
>({
  action: 'DescribeSecurityGroupRules',
  async run({ input, db, caller, region }) {
    const { Filters, SecurityGroupRuleIds } = input
    checkFilters(Filters, ruleFilters)
    const owner = { accountId: caller.accountId, region }
    const all = await listRules(db, owner)
    const ids = SecurityGroupRuleIds?.length ? SecurityGroupRuleIds.map(parseRuleId) : undefined
    for (const id of ids ?? []) if (!all.some((rule) => rule.id === id)) throw ruleNotFound(id)
    const tags = await listTags(db, { ...owner, resourceType: 'security-group-rule' })
    const matching = all
      .filter(({ id }) => !ids || ids.includes(id))
      .filter((rule) => matchesFilters(rule, Filters, ruleFilters, tags.get(rule.id)))
    const { items, NextToken } = page(matching, input, ({ id }) => id)
    return {
      SecurityGroupRules: items.map((rule) => viewRule(rule, tags.get(rule.id) ?? [])),
      NextToken,
    }
  },
})
