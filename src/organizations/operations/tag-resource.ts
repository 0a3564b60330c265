/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_TagResource.html */
import type { TagResourceRequest } from '@aws-sdk/client-organizations'
import { withTags } from '../../tags/tag.ts'
import { writeOperation } from '../../wire/operation.ts'
import { checkTagCount, readResourceTags } from '../resource-tags.ts'
import { requireManaged } from '../standing.ts'
import { listTags, setTags } from '../tag-store.ts'
import { requireTaggable } from '../target.ts'

export const tagOrganizationResource = writeOperation<TagResourceRequest, undefined>({
  service: 'organizations',
  action: 'TagResource',

  async run({ tx, input, caller }) {
    const organization = await requireManaged(tx, caller.accountId)
    const resource = await requireTaggable(tx, organization, input.ResourceId ?? '')
    const added = readResourceTags(input.Tags)
    await setTags(tx, resource, checkTagCount(withTags(await listTags(tx, resource), added)))
    return undefined
  },
})
