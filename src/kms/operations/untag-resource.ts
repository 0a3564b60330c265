/** https://docs.aws.amazon.com/kms/latest/APIReference/API_UntagResource.html */
import type { UntagResourceRequest } from '@aws-sdk/client-kms'
import { writeOperation } from '../../wire/operation.ts'
import { onKey, requireKeyById } from '../find.ts'
import { checkNotPending } from '../key.ts'
import { setKeyTags } from '../store.ts'

export const untagKey = writeOperation<UntagResourceRequest, undefined>({
  service: 'kms',
  action: 'UntagResource',
  demands: (input, context) => onKey('UntagResource', input.KeyId, { ...context, input }),

  async run(call) {
    const { input, tx } = call
    const key = checkNotPending(await requireKeyById(tx, call, 'UntagResource', input.KeyId))
    const tags = key.tags.filter((tag) => !input.TagKeys?.includes(tag.key))
    await setKeyTags(tx, key.id, tags)
    return undefined
  },
})
