/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListTagsForResource.html */
import type {
  ListTagsForResourceRequest,
  ListTagsForResourceResponse,
} from '@aws-sdk/client-organizations'

import { readOperation } from '../../wire/operation.ts'
import { requireViewed } from '../standing.ts'
import { listTags } from '../tag-store.ts'
import { requireTaggable } from '../target.ts'

export const listOrganizationTags = readOperation<
  ListTagsForResourceRequest,
  ListTagsForResourceResponse
>({
  service: 'organizations',
  action: 'ListTagsForResource',

  async run({ db, input, caller }) {
    const organization = await requireViewed(db, caller.accountId)
    const resource = await requireTaggable(db, organization, input.ResourceId ?? '')
    const tags = await listTags(db, resource)
    return { Tags: tags.map(({ key, value }) => ({ Key: key, Value: value })) }
  },
})
