/** https://docs.aws.amazon.com/recyclebin/latest/APIReference/API_TagResource.html */
import { checkTags, readTags, type TagInput, withTags } from '../../tags/tag.ts'
import { writeOperation } from '../../wire/operation.ts'
import { changeRuleTags } from '../change-tags.ts'
import { idInArn, onRule } from '../find.ts'

interface Input {
  readonly ResourceArn?: string
  readonly Tags?: readonly TagInput[]
}

export const tagRule = writeOperation<Input, undefined>({
  service: 'rbin',
  action: 'TagResource',
  demands: (input, context) => onRule('TagResource', idInArn(input.ResourceArn), context, input),

  async run(call) {
    const added = readTags(call.input.Tags)
    await changeRuleTags(call, (before) => checkTags(withTags(before, added)))
    return undefined
  },
})
