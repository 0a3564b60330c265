/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListTagsForResource.html */
import type { ListTagsForResourceRequest, ListTagsForResourceResult } from '@aws-sdk/client-ssm'
import { readOperation } from '../../wire/operation.ts'
import { ownKey } from '../own.ts'
import { onParameters } from '../permissions.ts'
import { tagsOfParameter } from '../tagged.ts'

export const listTagsForParameter = readOperation<
  ListTagsForResourceRequest,
  ListTagsForResourceResult
>({
  service: 'ssm',
  action: 'ListTagsForResource',
  demands: ({ ResourceId = '' }, context) =>
    onParameters('ListTagsForResource', [ResourceId], context),

  async run(call) {
    const { input, db } = call
    const key = ownKey(call, input.ResourceId)
    const tags = await tagsOfParameter(db, key, input.ResourceType)
    return { TagList: tags.map(({ key: Key, value: Value }) => ({ Key, Value })) }
  },
})
