/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeFastLaunchImages.html */
import type {
  DescribeFastLaunchImagesRequest,
  DescribeFastLaunchImagesResult,
} from '@aws-sdk/client-ec2'
import { parseImageId } from '../../images/image.ts'
import { checkFilters, type FilterTable, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { type FastLaunch, formatKey } from '../fast-launch.ts'
import { listFastLaunches } from '../store.ts'
import { viewFastLaunch } from '../view.ts'

const limits = { min: 0, max: 200 } as const

const filters: FilterTable<FastLaunch> = {
  'owner-id': ({ accountId }) => accountId,
  'resource-type': () => 'snapshot',
  state: ({ state }) => state,
}

export const describeFastLaunchImages = readOperation<
  DescribeFastLaunchImagesRequest,
  DescribeFastLaunchImagesResult
>({
  action: 'DescribeFastLaunchImages',
  async run({ input, db, caller, region }) {
    const { Filters, ImageIds = [] } = input
    checkFilters(Filters, filters)
    const ids: readonly string[] = ImageIds.map(parseImageId)
    const all = await listFastLaunches(db, { accountId: caller.accountId, region })
    const found = all
      .filter(({ imageId }) => ids.length === 0 || ids.includes(imageId))
      .filter((one) => matchesFilters(one, Filters, filters))
    const { items, NextToken } = page(found, input, formatKey, limits)
    return { FastLaunchImages: items.map(viewFastLaunch), ...(NextToken && { NextToken }) }
  },
})
