/** https://docs.aws.amazon.com/recyclebin/latest/APIReference/API_UpdateRule.html */
import { writeOperation } from '../../wire/operation.ts'
import { changedMeanwhile, onRule, requireUnlocked } from '../find.ts'
import {
  invalid,
  readDescription,
  readResourceType,
  readRetentionDays,
  readSelection,
  type ResourceTagInput,
  type RuleInput,
} from '../request.ts'
import type { RetentionRule, RuleTag } from '../rule.ts'
import { changeRule } from '../store.ts'
import { viewRule } from '../view.ts'

export const updateRule = writeOperation<RuleInput, object>({
  service: 'rbin',
  action: 'UpdateRule',
  demands: ({ Identifier }, context) => onRule('UpdateRule', Identifier, context),

  async run(call) {
    const { input, tx, now } = call
    const before = await requireUnlocked(tx, call, input.Identifier)
    if (input.ResourceType && readResourceType(input.ResourceType) !== before.resourceType)
      throw invalid('The resource type of a retention rule cannot be changed.')
    const { ResourceTags, ExcludeResourceTags, RetentionPeriod, Description } = input
    const after: RetentionRule = {
      ...before,
      ...(RetentionPeriod && {
        retentionDays: readRetentionDays(before.resourceType, RetentionPeriod),
      }),
      ...(Description !== undefined && { description: readDescription(Description) }),
      ...readSelection({
        ResourceTags: ResourceTags ?? before.resourceTags.map(asInput),
        ExcludeResourceTags: ExcludeResourceTags ?? before.excludeResourceTags.map(asInput),
      }),
    }
    if (!(await changeRule(tx, after))) throw changedMeanwhile(before.id)
    return viewRule(after, now)
  },
})

const asInput = ({ key, value }: RuleTag): ResourceTagInput => ({
  ResourceTagKey: key,
  ResourceTagValue: value,
})
