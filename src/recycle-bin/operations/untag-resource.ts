/** https://docs.aws.amazon.com/recyclebin/latest/APIReference/API_UntagResource.html */
import { writeOperation } from '../../wire/operation.ts'
import { changeRuleTags } from '../change-tags.ts'
import { idInArn, onRule } from '../find.ts'

interface Input {
  readonly ResourceArn?: string
  readonly TagKeys?: readonly string[]
}

export const untagRule = writeOperation<Input, undefined>({
  service: 'rbin',
  action: 'UntagResource',
  demands: (input, context) => onRule('UntagResource', idInArn(input.ResourceArn), context, input),

  async run(call) {
    const { TagKeys = [] } = call.input
    await changeRuleTags(call, (before) => before.filter(({ key }) => !TagKeys.includes(key)))
    return undefined
  },
})
