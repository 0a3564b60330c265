/** https://docs.aws.amazon.com/recyclebin/latest/APIReference/API_DeleteRule.html */
import { writeOperation } from '../../wire/operation.ts'
import { changedMeanwhile, onRule, requireUnlocked } from '../find.ts'
import type { RuleInput } from '../request.ts'
import { deleteRule } from '../store.ts'

export const deleteRetentionRule = writeOperation<RuleInput, undefined>({
  service: 'rbin',
  action: 'DeleteRule',
  demands: ({ Identifier }, context) => onRule('DeleteRule', Identifier, context),

  async run(call) {
    const rule = await requireUnlocked(call.tx, call, call.input.Identifier)
    if (!(await deleteRule(call.tx, rule))) throw changedMeanwhile(rule.id)
    return undefined
  },
})
