/** https://docs.aws.amazon.com/recyclebin/latest/APIReference/API_ListTagsForResource.html */
import { readOperation } from '../../wire/operation.ts'
import { idInArn, idOfArn, onRule } from '../find.ts'
import { ruleNotFound } from '../request.ts'
import { findRuleTags } from '../store.ts'

interface Input {
  readonly ResourceArn?: string
}

export const listTagsOfRule = readOperation<Input, object>({
  service: 'rbin',
  action: 'ListTagsForResource',
  demands: (input, context) => onRule('ListTagsForResource', idInArn(input.ResourceArn), context),

  async run(call) {
    const id = idOfArn(call.input.ResourceArn, call)
    const { accountId } = call.caller
    const tags = await findRuleTags(call.db, { accountId, region: call.region, id })
    if (!tags) throw ruleNotFound(id)
    return { Tags: tags.map(({ key: Key, value: Value }) => ({ Key, Value })) }
  },
})
