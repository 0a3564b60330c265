/** https://docs.aws.amazon.com/recyclebin/latest/APIReference/API_CreateRule.html */
import { readTags, type TagInput } from '../../tags/tag.ts'
import { writeOperation } from '../../wire/operation.ts'
import { onRule } from '../find.ts'
import {
  checkLockable,
  readDescription,
  readLock,
  readResourceType,
  readRetentionDays,
  readSelection,
  refusal,
  type RuleInput,
} from '../request.ts'
import type { RetentionRule } from '../rule.ts'
import { insertRule, listRules, setRuleTags } from '../store.ts'
import { viewRule } from '../view.ts'

const rulesMax = 250

export const createRule = writeOperation<
  RuleInput & { readonly Tags?: readonly TagInput[] },
  object
>({
  service: 'rbin',
  action: 'CreateRule',
  demands: (input, context) => onRule('CreateRule', undefined, context, input),

  async run({ tx, input, caller, region, now, randomBytes }) {
    const { accountId } = caller
    const tags = readTags(input.Tags)
    const resourceType = readResourceType(input.ResourceType)
    const rule: RetentionRule = {
      id: newRuleId(randomBytes(11)),
      accountId,
      region,
      resourceType,
      retentionDays: readRetentionDays(resourceType, input.RetentionPeriod),
      description: readDescription(input.Description ?? ''),
      ...readSelection(input),
      createdAt: now,
      lock: input.LockConfiguration && readLock(input.LockConfiguration),
      revision: 0,
    }
    if (rule.lock) checkLockable(rule)
    if ((await listRules(tx, { accountId, region })).length >= rulesMax) {
      const message = `An account can have at most ${rulesMax} retention rules in a Region.`
      throw refusal('ServiceQuotaExceededException', message)
    }
    await insertRule(tx, rule)
    await setRuleTags(tx, { ...rule, tags })
    const Tags = tags.map(({ key: Key, value: Value }) => ({ Key, Value }))
    return { ...viewRule(rule, now), Tags }
  },
})

function newRuleId(random: Uint8Array): string {
  const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  return Array.from(random, (byte) => letters[byte % letters.length]).join('')
}
