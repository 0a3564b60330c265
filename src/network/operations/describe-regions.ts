/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html */
import type { DescribeRegionsRequest, DescribeRegionsResult } from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { checkFilters, type FilterTable, matchesFilters } from '../../lib/filters.ts'
import { readOperation } from '../../wire/operation.ts'

const optInStatus = 'opt-in-not-required'
// One port serves all Regions; this is the name that EC2 has for the one of a Region.
const endpointOf = (region: string) => `ec2.${region}.amazonaws.com`

const filters: FilterTable<string> = {
  endpoint: endpointOf,
  'opt-in-status': () => optInStatus,
  'region-name': (region) => region,
}

export const describeRegions = readOperation<DescribeRegionsRequest, DescribeRegionsResult>({
  action: 'DescribeRegions',
  async run({ input, regions }) {
    checkFilters(input.Filters, filters, { takesTags: false })
    const wanted = input.RegionNames?.length ? input.RegionNames : undefined
    const unknown = wanted?.filter((name) => !regions.includes(name)) ?? []
    if (unknown.length > 0) {
      throw new ApiError(
        'InvalidParameterValue',
        `Invalid values found for region name: [${unknown.join(', ')}]`,
      )
    }
    return {
      Regions: regions
        .filter((region) => !wanted || wanted.includes(region))
        .filter((region) => matchesFilters(region, input.Filters, filters))
        .map((region) => ({
          RegionName: region,
          Endpoint: endpointOf(region),
          OptInStatus: optInStatus,
        })),
    }
  },
})
