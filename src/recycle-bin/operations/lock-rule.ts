/** https://docs.aws.amazon.com/recyclebin/latest/APIReference/API_LockRule.html */
import { writeOperation } from '../../wire/operation.ts'
import { changedMeanwhile, onRule, requireRule } from '../find.ts'
import { checkLockable, readLock, refusal, type RuleInput } from '../request.ts'
import { lockStateOf } from '../rule.ts'
import { changeRule } from '../store.ts'
import { viewRule } from '../view.ts'

export const lockRule = writeOperation<RuleInput, object>({
  service: 'rbin',
  action: 'LockRule',
  demands: ({ Identifier }, context) => onRule('LockRule', Identifier, context),

  async run(call) {
    const { input, tx, now } = call
    const lock = readLock(input.LockConfiguration)
    const before = await requireRule(tx, call, input.Identifier)
    // One that still unlocks can be locked again.
    if (lockStateOf(before, now) === 'locked')
      throw refusal('ConflictException', `The retention rule ${before.id} is locked already.`)
    checkLockable(before)
    const after = { ...before, lock }
    if (!(await changeRule(tx, after))) throw changedMeanwhile(before.id)
    return viewRule(after, now)
  },
})
