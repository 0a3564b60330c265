/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVolumes.html */
import type { DescribeVolumesRequest, DescribeVolumesResult } from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { checkFilters, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { listTags } from '../../tags/store.ts'
import { readOperation } from '../../wire/operation.ts'
import { volumeFilters } from '../filters.ts'
import { listAttachments, listVolumes } from '../store.ts'
import { viewVolume } from '../view.ts'
import { parseVolumeId, volumeNotFound } from '../volume.ts'

export const describeVolumes = readOperation<DescribeVolumesRequest, DescribeVolumesResult>({
  action: 'DescribeVolumes',
  async run({ input, db, caller, region }) {
    const { VolumeIds, Filters, MaxResults } = input
    checkFilters(Filters, volumeFilters)
    const ids = VolumeIds?.length ? VolumeIds.map(parseVolumeId) : undefined
    if (ids && MaxResults !== undefined) {
      throw new ApiError(
        'InvalidParameterCombination',
        'The parameter volumeSet cannot be used with the parameter maxResults',
      )
    }
    const owner = { accountId: caller.accountId, region }
    const volumes = await listVolumes(db, { ...owner, ...(ids && { ids }) })
    const found = new Set(volumes.map(({ id }) => id))
    for (const id of ids ?? []) if (!found.has(id)) throw volumeNotFound(id)
    const volumeIds = volumes.map(({ id }) => id)
    const attachments = await listAttachments(db, { volumeIds })
    const byVolume = new Map(attachments.map((one) => [one.volumeId, one]))
    const tags = await listTags(db, { ...owner, resourceType: 'volume' })
    const facts = volumes.map((volume) => ({
      volume,
      attachment: byVolume.get(volume.id),
      tags: tags.get(volume.id) ?? [],
    }))
    const matching = facts.filter((one) => matchesFilters(one, Filters, volumeFilters, one.tags))
    const { items, NextToken } = page(matching, input, ({ volume }) => volume.id)
    return { Volumes: items.map(viewVolume), NextToken }
  },
})
