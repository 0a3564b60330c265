/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_UntagResource.html */
import type { UntagResourceRequest } from '@aws-sdk/client-organizations'

import { writeOperation } from '../../wire/operation.ts'
import { requireManaged } from '../standing.ts'
import { listTags, setTags } from '../tag-store.ts'
import { requireTaggable } from '../target.ts'

export const untagOrganizationResource = writeOperation<UntagResourceRequest, undefined>({
  service: 'organizations',
  action: 'UntagResource',

  async run({ tx, input, caller }) {
    const { ResourceId = '', TagKeys = [] } = input
    const organization = await requireManaged(tx, caller.accountId)
    const resource = await requireTaggable(tx, organization, ResourceId)
    const tags = await listTags(tx, resource)
    await setTags(
      tx,
      resource,
      tags.filter(({ key }) => !TagKeys.includes(key)),
    )
    return undefined
  },
})
