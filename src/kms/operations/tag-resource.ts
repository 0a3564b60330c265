/** https://docs.aws.amazon.com/kms/latest/APIReference/API_TagResource.html */
import type { TagResourceRequest } from '@aws-sdk/client-kms'
import { withTags } from '../../tags/tag.ts'
import { writeOperation } from '../../wire/operation.ts'
import { onKey, requireKeyById } from '../find.ts'
import { checkNotPending } from '../key.ts'
import { checkKeyTags, readKeyTags } from '../request.ts'
import { setKeyTags } from '../store.ts'

export const tagKey = writeOperation<TagResourceRequest, undefined>({
  service: 'kms',
  action: 'TagResource',
  demands: (input, context) => onKey('TagResource', input.KeyId, { ...context, input }),

  async run(call) {
    const { input, tx } = call
    const added = readKeyTags(input.Tags)
    const key = checkNotPending(await requireKeyById(tx, call, 'TagResource', input.KeyId))
    await setKeyTags(tx, key.id, checkKeyTags(withTags(key.tags, added)))
    return undefined
  },
})
