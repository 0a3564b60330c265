/** What the filters of `DescribeVolumes` look at. */
import type { FilterTable } from '../lib/filters.ts'
import { findZone } from '../network/zone.ts'
import type { VolumeFacts } from './view.ts'

export const volumeFilters: FilterTable<VolumeFacts> = {
  'attachment.attach-time': ({ attachment }) => attachment?.attachedAt,
  'attachment.delete-on-termination': ({ attachment }) => attachment?.deleteOnTermination,
  'attachment.device': ({ attachment }) => attachment?.device,
  'attachment.instance-id': ({ attachment }) => attachment?.instanceId,
  'attachment.status': ({ attachment }) => attachment?.state,
  'availability-zone': ({ volume }) => volume.availabilityZone,
  'availability-zone-id': ({ volume }) => findZone(volume.region, volume.availabilityZone)?.id,
  'create-time': ({ volume }) => volume.createdAt,
  encrypted: ({ volume }) => volume.kmsKeyArn !== undefined,
  'fast-restored': ({ volume }) => volume.isFastRestored === true,
  'multi-attach-enabled': () => false,
  'operator.managed': () => false,
  'operator.principal': () => undefined,
  size: ({ volume }) => volume.sizeGiB,
  'snapshot-id': ({ volume }) => volume.snapshotId ?? '',
  // Not in AWS's list yet, though it is told.
  'source-volume-id': ({ volume }) => volume.sourceVolumeId,
  status: ({ volume }) => volume.state,
  'volume-id': ({ volume }) => volume.id,
  'volume-type': ({ volume }) => volume.type,
}
