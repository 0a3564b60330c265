/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypeOfferings.html */
import type {
  DescribeInstanceTypeOfferingsRequest,
  DescribeInstanceTypeOfferingsResult,
  InstanceTypeOffering,
} from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { checkFilters, type FilterTable, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { zonesOf } from '../../network/zone.ts'
import { readOperation } from '../../wire/operation.ts'
import { listInstanceTypes } from '../instance-type.ts'

export const describeInstanceTypeOfferings = readOperation<
  DescribeInstanceTypeOfferingsRequest,
  DescribeInstanceTypeOfferingsResult
>({
  action: 'DescribeInstanceTypeOfferings',

  async run({ input, region }) {
    checkFilters(input.Filters, offeringFilters, { takesTags: false })
    const locationType = input.LocationType ?? 'region'
    const locations = locationsOf(locationType, region)
    const found = listInstanceTypes()
      .flatMap(({ name }) =>
        locations.map((location) => ({
          InstanceType: name as NonNullable<InstanceTypeOffering['InstanceType']>,
          LocationType: locationType,
          Location: location,
        })),
      )
      .filter((offering) => matchesFilters(offering, input.Filters, offeringFilters))
      .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    const { items, NextToken } = page(found, input, keyOf)
    return { InstanceTypeOfferings: [...items], NextToken }
  },
})

const offeringFilters: FilterTable<InstanceTypeOffering> = {
  'instance-type': (offering) => offering.InstanceType,
  location: (offering) => offering.Location,
}

const keyOf = ({ InstanceType, Location }: InstanceTypeOffering): string =>
  `${InstanceType} ${Location}`

/** Every type is offered everywhere: what the host can hold of it at a time is another matter. */
function locationsOf(locationType: string, region: string): readonly string[] {
  if (locationType === 'region') return [region]
  if (locationType === 'availability-zone') return zonesOf(region).map(({ name }) => name)
  if (locationType === 'availability-zone-id') return zonesOf(region).map(({ id }) => id)
  if (locationType === 'outpost') return []
  throw new ApiError(
    'InvalidParameterValue',
    `Value (${locationType}) for parameter locationType is invalid. It must be one of: region, ` +
      'availability-zone, availability-zone-id, outpost.',
  )
}
