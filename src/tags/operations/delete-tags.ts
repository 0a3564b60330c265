/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html */
import type { DeleteTagsRequest } from '@aws-sdk/client-ec2'
import { missingParameter } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { taggingDemandsOf } from '../demands.ts'
import { checkExists, readResources } from '../exists.ts'
import { removeTags } from '../store.ts'
import { checkTagKey } from '../tag.ts'

export const deleteTags = writeOperation<DeleteTagsRequest, Record<string, never>>({
  action: 'DeleteTags',
  demands: taggingDemandsOf('DeleteTags'),
  async run({ input, tx, caller, region, now }) {
    if (!input.Resources?.length) throw missingParameter('resourceIdSet')
    const resources = readResources(input.Resources)
    const tags = input.Tags?.map(({ Key: key = '', Value: value }) => ({ key, value }))
    for (const { key } of tags ?? []) checkTagKey(key)
    const { accountId } = caller
    await checkExists(tx, { accountId, region, now }, resources)
    for (const { resourceId } of resources) {
      await removeTags(tx, { accountId, resourceId, ...(tags?.length && { tags }) })
    }
    return {}
  },
})
