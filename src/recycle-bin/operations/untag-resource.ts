/** https://docs.aws.amazon.com/recyclebin/latest/APIReference/API_UntagResource.html */
import { writeOperation } from '../../wire/operation.ts'
import { idInArn, idOfArn, onRule } from '../find.ts'
import { ruleNotFound } from '../request.ts'
import { findRuleTags, setRuleTags } from '../store.ts'

interface Input {
  readonly ResourceArn?: string
  readonly TagKeys?: readonly string[]
}

export const untagRule = writeOperation<Input, undefined>({
  service: 'rbin',
  action: 'UntagResource',
  demands: (input, context) => onRule('UntagResource', idInArn(input.ResourceArn), context, input),

  async run(call) {
    const { input, tx, caller, region } = call
    const key = { accountId: caller.accountId, region, id: idOfArn(input.ResourceArn, call) }
    const before = await findRuleTags(tx, key)
    if (!before) throw ruleNotFound(key.id)
    const tags = before.filter((tag) => !input.TagKeys?.includes(tag.key))
    await setRuleTags(tx, { ...key, tags })
    return undefined
  },
})
