/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVolumesModifications.html */
import type {
  DescribeVolumesModificationsRequest,
  DescribeVolumesModificationsResult,
} from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { checkFilters, type FilterTable, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { listVolumes } from '../../volumes/store.ts'
import { parseVolumeId, volumeNotFound } from '../../volumes/volume.ts'
import { readOperation } from '../../wire/operation.ts'
import type { Modification } from '../modification.ts'
import { listLastModifications } from '../store.ts'
import { neverModifiedCode } from '../unknowns.ts'
import { viewModification } from '../view.ts'

const filters: FilterTable<Modification> = {
  'modification-state': ({ state }) => state,
  'original-iops': ({ original }) => original.iops,
  'original-size': ({ original }) => original.sizeGiB,
  'original-volume-type': ({ original }) => original.type,
  originalMultiAttachEnabled: () => false,
  'start-time': ({ startedAt }) => startedAt,
  'target-iops': ({ target }) => target.iops,
  'target-size': ({ target }) => target.sizeGiB,
  'target-volume-type': ({ target }) => target.type,
  targetMultiAttachEnabled: () => false,
  'volume-id': ({ volumeId }) => volumeId,
}

export const describeVolumesModifications = readOperation<
  DescribeVolumesModificationsRequest,
  DescribeVolumesModificationsResult
>({
  action: 'DescribeVolumesModifications',
  async run({ input, db, caller, region }) {
    checkFilters(input.Filters, filters)
    const owner = { accountId: caller.accountId, region }
    const ids = input.VolumeIds?.length ? input.VolumeIds.map(parseVolumeId) : undefined
    const modifications = await listLastModifications(db, owner)
    // Those of a volume in the Recycle Bin come back with it.
    const seen = await listVolumes(db, { ...owner, ...(ids && { ids }) })
    const volumes = new Set(seen.map(({ id }) => id))
    if (ids) {
      const modified = new Set(modifications.map(({ volumeId }) => volumeId))
      for (const id of ids) {
        if (!volumes.has(id)) throw volumeNotFound(id)
        if (modified.has(id)) continue
        throw new ApiError(neverModifiedCode, `Modification for volume '${id}' does not exist.`)
      }
    }
    const matching = modifications
      .filter(({ volumeId }) => volumes.has(volumeId))
      .filter((one) => matchesFilters(one, input.Filters, filters))
    const { items, NextToken } = page(matching, input, ({ volumeId }) => volumeId, { max: 500 })
    return { VolumesModifications: items.map(viewModification), NextToken }
  },
})
