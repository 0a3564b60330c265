/** https://docs.aws.amazon.com/recyclebin/latest/APIReference/API_TagResource.html */
import { checkTags, readTags, type TagInput } from '../../tags/tag.ts'
import { writeOperation } from '../../wire/operation.ts'
import { idInArn, idOfArn, onRule } from '../find.ts'
import { ruleNotFound } from '../request.ts'
import { findRuleTags, setRuleTags } from '../store.ts'

interface Input {
  readonly ResourceArn?: string
  readonly Tags?: readonly TagInput[]
}

export const tagRule = writeOperation<Input, undefined>({
  service: 'rbin',
  action: 'TagResource',
  demands: (input, context) => onRule('TagResource', idInArn(input.ResourceArn), context, input),

  async run(call) {
    const { input, tx, caller, region } = call
    const added = readTags(input.Tags)
    const key = { accountId: caller.accountId, region, id: idOfArn(input.ResourceArn, call) }
    const before = await findRuleTags(tx, key)
    if (!before) throw ruleNotFound(key.id)
    const kept = before.filter((tag) => !added.some((each) => each.key === tag.key))
    await setRuleTags(tx, { ...key, tags: checkTags([...kept, ...added]) })
    return undefined
  },
})
