/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVolumeStatus.html */
import type {
  DescribeVolumeStatusRequest,
  DescribeVolumeStatusResult,
  VolumeStatusItem,
} from '@aws-sdk/client-ec2'
import { checkFilters, type FilterTable, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { listVolumes } from '../store.ts'
import { parseVolumeId, type Volume, volumeNotFound } from '../volume.ts'

const statusOf = ({ state }: Volume) => (state === 'error' ? 'impaired' : 'ok')
const filters: FilterTable<Volume> = {
  'availability-zone': ({ availabilityZone }) => availabilityZone,
  'volume-status.status': statusOf,
  'volume-status.details-name': () => ['io-enabled', 'io-performance'],
  'volume-status.details-status': (volume) => [
    statusOf(volume) === 'ok' ? 'passed' : 'failed',
    'not-applicable',
  ],
}

export const describeVolumeStatus = readOperation<
  DescribeVolumeStatusRequest,
  DescribeVolumeStatusResult
>({
  action: 'DescribeVolumeStatus',
  async run({ input, db, caller, region }) {
    checkFilters(input.Filters, filters)
    const ids = input.VolumeIds?.length ? input.VolumeIds.map(parseVolumeId) : undefined
    const owner = { accountId: caller.accountId, region }
    const volumes = await listVolumes(db, { ...owner, ...(ids && { ids }) })
    const found = new Set(volumes.map(({ id }) => id))
    for (const id of ids ?? []) if (!found.has(id)) throw volumeNotFound(id)
    const matching = volumes
      .filter(({ state }) => state !== 'creating' && state !== 'deleting')
      .filter((volume) => matchesFilters(volume, input.Filters, filters))
    const { items, NextToken } = page(matching, input, ({ id }) => id)
    return { VolumeStatuses: items.map(viewStatus), NextToken }
  },
})

function viewStatus(volume: Volume): VolumeStatusItem {
  const status = statusOf(volume)
  return {
    VolumeId: volume.id,
    AvailabilityZone: volume.availabilityZone,
    Actions: [],
    Events: [],
    VolumeStatus: {
      Status: status,
      Details: [
        { Name: 'io-enabled', Status: status === 'ok' ? 'passed' : 'failed' },
        { Name: 'io-performance', Status: 'not-applicable' },
      ],
    },
  }
}
