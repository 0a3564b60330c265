/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAvailabilityZones.html */
import type {
  DescribeAvailabilityZonesRequest,
  DescribeAvailabilityZonesResult,
} from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { checkFilters, type FilterTable, matchesFilters } from '../../lib/filters.ts'
import { readOperation } from '../../wire/operation.ts'
import { type Zone, zonesOf } from '../zone.ts'

const regionOf = ({ name }: Zone) => name.slice(0, -1)
const optInStatus = 'opt-in-not-required'
const filters: FilterTable<Zone> = {
  'group-long-name': () => undefined,
  'group-name': regionOf,
  message: () => [],
  'opt-in-status': () => optInStatus,
  'parent-zone-id': () => undefined,
  'parent-zone-name': () => undefined,
  'region-name': regionOf,
  state: () => 'available',
  'zone-id': ({ id }) => id,
  'zone-name': ({ name }) => name,
  'zone-type': () => 'availability-zone',
}

export const describeAvailabilityZones = readOperation<
  DescribeAvailabilityZonesRequest,
  DescribeAvailabilityZonesResult
>({
  action: 'DescribeAvailabilityZones',
  async run({ input, region }) {
    const { Filters, ZoneNames = [], ZoneIds = [] } = input
    checkFilters(Filters, filters, { takesTags: false })
    const all = zonesOf(region)
    const wanted = [...ZoneNames, ...ZoneIds]
    const unknown = wanted.filter((one) => !all.some(({ name, id }) => name === one || id === one))
    if (unknown.length > 0) {
      throw new ApiError(
        'InvalidParameterValue',
        `Invalid availability zones: [${unknown.join(', ')}]`,
      )
    }
    return {
      AvailabilityZones: all
        .filter(
          ({ name, id }) => wanted.length === 0 || wanted.includes(name) || wanted.includes(id),
        )
        .filter((zone) => matchesFilters(zone, Filters, filters))
        .map(({ name, id }) => ({
          State: 'available',
          OptInStatus: optInStatus,
          Messages: [],
          RegionName: region,
          ZoneName: name,
          ZoneId: id,
          GroupName: region,
          NetworkBorderGroup: region,
          ZoneType: 'availability-zone',
        })),
    }
  },
})
