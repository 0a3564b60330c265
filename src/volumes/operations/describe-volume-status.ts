/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVolumeStatus.html */
import type { DescribeVolumeStatusRequest, DescribeVolumeStatusResult } from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { checkFilters, type FilterTable, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { findZone } from '../../network/zone.ts'
import { readOperation } from '../../wire/operation.ts'
import { detailsOf, statusOf, viewVolumeStatus } from '../status-view.ts'
import { listVolumes } from '../store.ts'
import { parseVolumeId, type Volume, volumeNotFound } from '../volume.ts'

/** Nothing happens to volumes that EC2 would plan or tell of. */
const none = () => undefined

const filters: FilterTable<Volume> = {
  'action.code': none,
  'action.description': none,
  'action.event-id': none,
  'availability-zone': ({ availabilityZone }) => availabilityZone,
  'availability-zone-id': ({ region, availabilityZone }) => findZone(region, availabilityZone)?.id,
  'event.description': none,
  'event.event-id': none,
  'event.event-type': none,
  'event.not-after': none,
  'event.not-before': none,
  'volume-status.details-name': (volume) => detailsOf(volume).map(({ Name }) => Name),
  'volume-status.details-status': (volume) => detailsOf(volume).map(({ Status }) => Status),
  'volume-status.status': statusOf,
}

export const describeVolumeStatus = readOperation<
  DescribeVolumeStatusRequest,
  DescribeVolumeStatusResult
>({
  action: 'DescribeVolumeStatus',
  async run({ input, db, caller, region }) {
    checkFilters(input.Filters, filters)
    const ids = input.VolumeIds?.length ? input.VolumeIds.map(parseVolumeId) : undefined
    if (ids && input.MaxResults !== undefined) {
      throw new ApiError(
        'InvalidParameterCombination',
        'The parameter volumeSet cannot be used with the parameter maxResults',
      )
    }
    const owner = { accountId: caller.accountId, region }
    const volumes = await listVolumes(db, { ...owner, ...(ids && { ids }) })
    const found = new Set(volumes.map(({ id }) => id))
    for (const id of ids ?? []) if (!found.has(id)) throw volumeNotFound(id)
    const matching = volumes
      .filter(({ state }) => state !== 'deleting')
      .filter((volume) => matchesFilters(volume, input.Filters, filters))
    const { items, NextToken } = page(matching, input, ({ id }) => id)
    return { VolumeStatuses: items.map(viewVolumeStatus), NextToken }
  },
})
