/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVolumeStatus.html */
import type { DescribeVolumeStatusRequest, DescribeVolumeStatusResult } from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { checkFilters, type FilterTable, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { findZone } from '../../network/zone.ts'
import { readOperation } from '../../wire/operation.ts'
import { baseOf } from '../disk-keys.ts'
import {
  attachmentStatusesOf,
  detailsOf,
  type SeenVolume,
  statusOf,
  viewVolumeStatus,
} from '../status-view.ts'
import { listAttachments, listVolumes } from '../store.ts'
import { parseVolumeId, volumeNotFound } from '../volume.ts'

/** Nothing happens to volumes that EC2 would plan or tell of. */
const none = () => undefined

const filters: FilterTable<SeenVolume> = {
  'action.code': none,
  'action.description': none,
  'action.event-id': none,
  'attachment-status.instance-id': ({ instanceId }) => instanceId,
  'attachment-status.io-performance': (seen) =>
    attachmentStatusesOf(seen).map(({ IoPerformance }) => IoPerformance),
  'availability-zone': ({ volume }) => volume.availabilityZone,
  'availability-zone-id': ({ volume }) => findZone(volume.region, volume.availabilityZone)?.id,
  'event.description': none,
  'event.event-id': none,
  'event.event-type': none,
  'event.not-after': none,
  'event.not-before': none,
  'volume-status.details-name': (seen) => detailsOf(seen).map(({ Name }) => Name),
  'volume-status.details-status': (seen) => detailsOf(seen).map(({ Status }) => Status),
  'volume-status.status': statusOf,
}

export const describeVolumeStatus = readOperation<
  DescribeVolumeStatusRequest,
  DescribeVolumeStatusResult
>({
  action: 'DescribeVolumeStatus',
  async run({ input, db, caller, region, readers }) {
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
    const there = volumes.filter(({ state }) => state !== 'deleting')
    const attachments = await listAttachments(db, { volumeIds: there.map(({ id }) => id) })
    const instances = new Map(attachments.map((one) => [one.volumeId, one.instanceId]))
    const seen = await Promise.all(
      there.map(async (volume): Promise<SeenVolume> => {
        const base = baseOf(volume)
        const instanceId = instances.get(volume.id)
        return { volume, instanceId, base: base && (await readers.baseProgress(base)) }
      }),
    )
    const matching = seen.filter((one) => matchesFilters(one, input.Filters, filters))
    const { items, NextToken } = page(matching, input, ({ volume }) => volume.id)
    return { VolumeStatuses: items.map(viewVolumeStatus), NextToken }
  },
})
