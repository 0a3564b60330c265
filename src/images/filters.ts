/**
 * The filters of `DescribeImages`: every one that AWS has. Those on what we keep
 * no record of match nothing, as they do in AWS on an image without it.
 */
import type { SeverityLabel } from '../advisories/severity.ts'
import type { FilterTable } from '../lib/filters.ts'
import type { ScanResults } from '../scans/finding.ts'
import type { BlockDevice, EbsDevice, Image } from './image.ts'
import type { Watermark } from './watermark.ts'

export interface ImageItem {
  readonly image: Image
  readonly ownerAlias: string | undefined
  readonly watermarks?: readonly Watermark[] | undefined
  readonly isAllowed: boolean | undefined
  /** The public parameter that stands for it. */
  readonly publicName?: string | undefined
  readonly scan?: ScanResults | undefined
}

const nothing = () => undefined

const devices =
  (look: (device: BlockDevice) => string | undefined) =>
  ({ image }: ImageItem) =>
    image.blockDevices.map(look)

const volumes =
  (look: (ebs: EbsDevice) => string | number | boolean | undefined) =>
  ({ image }: ImageItem) =>
    image.blockDevices.map(({ ebs }) => ebs && look(ebs))

const marks =
  (look: (watermark: Watermark) => string | Date) =>
  ({ watermarks = [] }: ImageItem) =>
    watermarks.map(look)

const fixSince =
  (label: SeverityLabel) =>
  ({ scan }: ImageItem) =>
    dateOf(scan?.fixSinceMs[label])

const dateOf = (atMs: number | undefined) => (atMs === undefined ? undefined : new Date(atMs))

export const imageFilters: FilterTable<ImageItem> = {
  architecture: ({ image }) => image.architecture,
  'block-device-mapping.delete-on-termination': volumes((ebs) => ebs.deleteOnTermination),
  'block-device-mapping.device-name': devices(({ deviceName }) => deviceName),
  'block-device-mapping.encrypted': volumes((ebs) => ebs.isEncrypted === true),
  'block-device-mapping.snapshot-id': volumes(({ snapshotId }) => snapshotId),
  'block-device-mapping.volume-size': volumes(({ sizeGiB }) => sizeGiB),
  'block-device-mapping.volume-type': volumes(({ type }) => type),
  'boot-mode': ({ image }) => image.bootMode,
  'creation-date': ({ image }) => image.createdAt,
  description: ({ image }) => image.description,
  'ena-support': ({ image }) => image.enaSupport,
  'free-tier-eligible': () => false,
  hypervisor: () => 'xen',
  'image-allowed': ({ isAllowed }) => isAllowed,
  'image-id': ({ image }) => image.id,
  'image-type': () => 'machine',
  'image-watermark.source-image-creation-time': marks(
    ({ sourceImageCreatedAt }) => sourceImageCreatedAt,
  ),
  'image-watermark.source-image-id': marks(({ sourceImageId }) => sourceImageId),
  'image-watermark.source-image-region': marks(({ sourceImageRegion }) => sourceImageRegion),
  'image-watermark.watermark-creation-time': marks(({ createdAt }) => createdAt),
  'image-watermark.watermark-key': marks(({ key }) => key),
  'instance-type-specification.supported-instance-type': ({ image }) =>
    image.instanceTypes?.supported,
  'instance-type-specification.unsupported-instance-type': ({ image }) =>
    image.instanceTypes?.unsupported,
  'is-public': ({ image }) => image.isPublic,
  'kernel-id': nothing,
  'manifest-location': ({ image }) => image.location,
  name: ({ image }) => image.name,
  'owner-alias': ({ ownerAlias }) => ownerAlias,
  'owner-id': ({ image }) => image.accountId,
  platform: ({ image }) => image.platform,
  'product-code': nothing,
  'product-code.type': nothing,
  'public-ssm-parameter-name': ({ publicName }) => publicName,
  'ramdisk-id': nothing,
  'root-device-name': ({ image }) => image.rootDeviceName,
  'root-device-type': ({ image }) => image.rootDeviceType,
  'scan-result.critical-fix-available-since': fixSince('critical'),
  'scan-result.finding-scan-date': ({ scan }) => dateOf(scan?.scannedAtMs),
  'scan-result.high-fix-available-since': fixSince('high'),
  'scan-result.highest-finding-severity-label': ({ scan }) => scan?.highest,
  'scan-result.informational-fix-available-since': fixSince('informational'),
  'scan-result.low-fix-available-since': fixSince('low'),
  'scan-result.medium-fix-available-since': fixSince('medium'),
  'source-image-id': ({ image }) => image.sourceImageId,
  'source-image-region': ({ image }) => image.sourceImageRegion,
  'source-instance-id': ({ image }) => image.sourceInstanceId,
  'sriov-net-support': ({ image }) => image.sriovNetSupport,
  state: ({ image }) => image.state,
  'state-reason-code': ({ image }) => image.stateReason?.code,
  'state-reason-message': ({ image }) => image.stateReason?.message,
  'virtualization-type': ({ image }) => image.virtualizationType,
}
