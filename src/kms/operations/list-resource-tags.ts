/** https://docs.aws.amazon.com/kms/latest/APIReference/API_ListResourceTags.html */
import type { ListResourceTagsRequest, ListResourceTagsResponse } from '@aws-sdk/client-kms'
import { readOperation } from '../../wire/operation.ts'
import { onKey, requireKeyById } from '../find.ts'
import { pageOf } from '../request.ts'
import { viewTag } from '../view.ts'

const limits = { usual: 50, max: 50 } as const

export const listTagsOfKey = readOperation<ListResourceTagsRequest, ListResourceTagsResponse>({
  service: 'kms',
  action: 'ListResourceTags',
  demands: (input, context) => onKey('ListResourceTags', input.KeyId, { ...context, input }),

  async run(call) {
    const { tags } = await requireKeyById(call.db, call, 'ListResourceTags', call.input.KeyId)
    const sorted = [...tags].sort((a, b) => (a.key < b.key ? -1 : 1))
    const { items, ...next } = pageOf(sorted, call.input, ({ key }) => key, limits)
    return { Tags: items.map(viewTag), ...next }
  },
})
