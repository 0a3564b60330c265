/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTags.html */
import type { DescribeTagsRequest, DescribeTagsResult, ResourceType } from '@aws-sdk/client-ec2'
import { checkFilters, type FilterTable, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { listTagsOfResources, type TagOfResource } from '../store.ts'

const filters: FilterTable<TagOfResource> = {
  key: ({ key }) => key,
  'resource-id': ({ resourceId }) => resourceId,
  'resource-type': ({ resourceType }) => resourceType,
  value: ({ value }) => value,
}

export const describeTags = readOperation<DescribeTagsRequest, DescribeTagsResult>({
  action: 'DescribeTags',
  async run({ input, db, caller, region }) {
    checkFilters(input.Filters, filters)
    const named = input.Filters?.find(({ Name }) => Name === 'resource-id')?.Values
    // Ids without wildcards are found by the table's own key.
    const resourceIds = named?.some((id) => /[*?\\]/.test(id)) ? undefined : named
    const tags = await listTagsOfResources(db, {
      accountId: caller.accountId,
      region,
      ...(resourceIds && { resourceIds }),
    })
    const matching = tags.filter((tag) => matchesFilters(tag, input.Filters, filters, [tag]))
    const { items, NextToken } = page(matching, input, placeOf)
    return {
      Tags: items.map(({ resourceId, resourceType, key, value }) => ({
        ResourceId: resourceId,
        ResourceType: resourceType as ResourceType,
        Key: key,
        Value: value,
      })),
      NextToken,
    }
  },
})

/** Sorts as the list does: no id has a space in it. */
const placeOf = ({ resourceId, key }: TagOfResource) => `${resourceId} ${key}`
