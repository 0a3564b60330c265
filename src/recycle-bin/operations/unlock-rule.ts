/** https://docs.aws.amazon.com/recyclebin/latest/APIReference/API_UnlockRule.html */
import { writeOperation } from '../../wire/operation.ts'
import { changedMeanwhile, onRule, requireRule } from '../find.ts'
import { refusal, type RuleInput } from '../request.ts'
import { lockStateOf } from '../rule.ts'
import { changeRule } from '../store.ts'
import { viewRule } from '../view.ts'

const dayMs = 24 * 60 * 60 * 1000

export const unlockRule = writeOperation<RuleInput, object>({
  service: 'rbin',
  action: 'UnlockRule',
  demands: ({ Identifier }, context) => onRule('UnlockRule', Identifier, context),

  async run(call) {
    const { input, tx, now } = call
    const before = await requireRule(tx, call, input.Identifier)
    const { lock } = before
    if (!lock || lockStateOf(before, now) !== 'locked')
      throw refusal('ConflictException', `The retention rule ${before.id} is not locked.`)
    const unlocksAt = new Date(now.getTime() + lock.unlockDelayDays * dayMs)
    const after = { ...before, lock: { ...lock, unlocksAt } }
    if (!(await changeRule(tx, after))) throw changedMeanwhile(before.id)
    return viewRule(after, now)
  },
})
