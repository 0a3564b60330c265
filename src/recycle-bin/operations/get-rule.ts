/** https://docs.aws.amazon.com/recyclebin/latest/APIReference/API_GetRule.html */
import { readOperation } from '../../wire/operation.ts'
import { onRule, requireRule } from '../find.ts'
import type { RuleInput } from '../request.ts'
import { viewRule } from '../view.ts'

export const getRule = readOperation<RuleInput, object>({
  service: 'rbin',
  action: 'GetRule',
  demands: ({ Identifier }, context) => onRule('GetRule', Identifier, context),

  async run(call) {
    return viewRule(await requireRule(call.db, call, call.input.Identifier), call.now)
  },
})
