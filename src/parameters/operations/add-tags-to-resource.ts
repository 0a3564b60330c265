/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AddTagsToResource.html */
import type { AddTagsToResourceRequest, AddTagsToResourceResult } from '@aws-sdk/client-ssm'
import { checkTags, readTags, withTags } from '../../tags/tag.ts'
import { writeOperation } from '../../wire/operation.ts'
import { ownKey } from '../own.ts'
import { onParameters } from '../permissions.ts'
import { setTags } from '../store.ts'
import { tagsOfParameter } from '../tagged.ts'

export const addTagsToParameter = writeOperation<AddTagsToResourceRequest, AddTagsToResourceResult>(
  {
    service: 'ssm',
    action: 'AddTagsToResource',
    demands: (input, context) =>
      onParameters('AddTagsToResource', [input.ResourceId ?? ''], context, input),

    async run(call) {
      const { input, tx } = call
      const added = readTags(input.Tags)
      const key = ownKey(call, input.ResourceId)
      const before = await tagsOfParameter(tx, key, input.ResourceType)
      await setTags(tx, { ...key, tags: checkTags(withTags(before, added)) })
      return {}
    },
  },
)
