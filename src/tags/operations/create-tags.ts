/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html */
import type { CreateTagsRequest } from '@aws-sdk/client-ec2'
import { missingParameter } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { taggingDemandsOf } from '../demands.ts'
import { checkExists, readResources } from '../exists.ts'
import { putTags } from '../store.ts'
import { readTags } from '../tag.ts'

export const createTags = writeOperation<CreateTagsRequest, Record<string, never>>({
  action: 'CreateTags',
  demands: taggingDemandsOf('CreateTags'),
  async run({ input, tx, caller, region, now }) {
    if (!input.Resources?.length) throw missingParameter('resourceIdSet')
    if (!input.Tags?.length) throw missingParameter('tagSet')
    const tags = readTags(input.Tags)
    const resources = readResources(input.Resources)
    const owner = { accountId: caller.accountId, region }
    await checkExists(tx, { ...owner, now }, resources)
    for (const resource of resources) await putTags(tx, { ...owner, ...resource, tags })
    return {}
  },
})
