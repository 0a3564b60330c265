/** https://docs.aws.amazon.com/recyclebin/latest/APIReference/API_ListRules.html */
import { demandOn } from '../../iam/demand.ts'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { invalid, readResourceType, readRuleTags, type RuleInput } from '../request.ts'
import { lockStateOf, type RuleTag } from '../rule.ts'
import { listRules } from '../store.ts'
import { viewSummary } from '../view.ts'

const limits = { min: 1, max: 1000 } as const
const tagsMax = 50

interface Input extends RuleInput {
  readonly LockState?: string
  readonly MaxResults?: number
  readonly NextToken?: string
}

export const listRetentionRules = readOperation<Input, object>({
  service: 'rbin',
  action: 'ListRules',
  demands: ({ ResourceType }) => [
    demandOn('rbin:ListRules', '*', { 'rbin:Request/ResourceType': ResourceType }),
  ],

  async run({ db, input, caller, region, now }) {
    const resourceType = readResourceType(input.ResourceType)
    const { LockState, MaxResults = limits.max, NextToken } = input
    if (LockState !== undefined && !['locked', 'pending_unlock', 'unlocked'].includes(LockState))
      throw invalid('The lock state must be locked, pending_unlock or unlocked.')
    if (MaxResults > limits.max) throw invalid(`MaxResults must be at most ${limits.max}.`)
    const wanted = readRuleTags(input.ResourceTags, tagsMax)
    const excluded = readRuleTags(input.ExcludeResourceTags, tagsMax)
    const rules = await listRules(db, { accountId: caller.accountId, region, resourceType })
    const found = rules.filter(
      (rule) =>
        (LockState === undefined || lockStateOf(rule, now) === LockState) &&
        wanted.every((tag) => hasTag(rule.resourceTags, tag)) &&
        excluded.every((tag) => hasTag(rule.excludeResourceTags, tag)),
    )
    const { items, ...next } = page(found, { MaxResults, NextToken }, ({ id }) => id, limits)
    return { Rules: items.map((rule) => viewSummary(rule, now)), ...next }
  },
})

const hasTag = (tags: readonly RuleTag[], { key, value }: RuleTag): boolean =>
  tags.some((tag) => tag.key === key && (value === undefined || tag.value === value))
