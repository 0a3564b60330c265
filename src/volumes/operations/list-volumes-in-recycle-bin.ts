/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ListVolumesInRecycleBin.html */
import type {
  ListVolumesInRecycleBinRequest,
  ListVolumesInRecycleBinResult,
} from '@aws-sdk/client-ec2'
import { page } from '../../lib/pages.ts'
import { findZone } from '../../network/zone.ts'
import { readOperation } from '../../wire/operation.ts'
import { listRecycledVolumes } from '../life-store.ts'
import { parseVolumeId, volumeNotFound } from '../volume.ts'

const limits = { min: 5, max: 500 } as const

export const listVolumesInRecycleBin = readOperation<
  ListVolumesInRecycleBinRequest,
  ListVolumesInRecycleBinResult
>({
  action: 'ListVolumesInRecycleBin',
  async run({ input, db, caller, region }) {
    const ids = input.VolumeIds?.length ? input.VolumeIds.map(parseVolumeId) : undefined
    const all = await listRecycledVolumes(db, { accountId: caller.accountId, region, ids })
    const missing = ids?.find((id) => !all.some((volume) => volume.id === id))
    if (missing) throw volumeNotFound(missing)
    const { items, NextToken } = page(all, input, ({ id }) => id, limits)
    const Volumes = items.map((volume) => ({
      VolumeId: volume.id,
      VolumeType: volume.type,
      State: volume.state,
      Size: volume.sizeGiB,
      Iops: volume.iops,
      Throughput: volume.throughput,
      AvailabilityZone: volume.availabilityZone,
      AvailabilityZoneId: findZone(region, volume.availabilityZone)?.id,
      SourceVolumeId: volume.sourceVolumeId,
      SnapshotId: volume.snapshotId,
      Operator: { Managed: false },
      CreateTime: volume.createdAt,
      RecycleBinEnterTime: volume.recycledAt,
      RecycleBinExitTime: volume.recycleExitAt,
    }))
    return { Volumes, ...(NextToken && { NextToken }) }
  },
})
