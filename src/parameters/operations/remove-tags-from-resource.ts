/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_RemoveTagsFromResource.html */
import type {
  RemoveTagsFromResourceRequest,
  RemoveTagsFromResourceResult,
} from '@aws-sdk/client-ssm'
import { writeOperation } from '../../wire/operation.ts'
import { ownKey } from '../own.ts'
import { onParameters } from '../permissions.ts'
import { setTags } from '../store.ts'
import { tagsOfParameter } from '../tagged.ts'

export const removeTagsFromParameter = writeOperation<
  RemoveTagsFromResourceRequest,
  RemoveTagsFromResourceResult
>({
  service: 'ssm',
  action: 'RemoveTagsFromResource',
  demands: (input, context) =>
    onParameters('RemoveTagsFromResource', [input.ResourceId ?? ''], context, input),

  async run(call) {
    const { input, tx } = call
    const key = ownKey(call, input.ResourceId)
    const before = await tagsOfParameter(tx, key, input.ResourceType)
    const tags = before.filter((tag) => !input.TagKeys?.includes(tag.key))
    await setTags(tx, { ...key, tags })
    return {}
  },
})
