/** An image as EC2 answers it. */
import type {
  ArchitectureValues,
  BlockDeviceMapping,
  Image as ImageOutput,
  ImageMetadata,
  ImdsSupportValues,
  PlatformValues,
  TpmSupportValues,
  VirtualizationType,
  VolumeType,
} from '@aws-sdk/client-ec2'
import type { ScanResults } from '../scans/finding.ts'
import { viewScanResults } from '../scans/view.ts'
import type { Tag } from '../tags/tag.ts'
import { viewTags } from '../tags/view.ts'
import type { BlockDevice, Image } from './image.ts'
import type { Watermark } from './watermark.ts'
import { viewWatermarks } from './watermark-view.ts'
import { viewInstanceTypes } from './instance-types.ts'
import { viewProtection } from './protection.ts'

export function viewImage(
  image: Image,
  beside: {
    readonly tags: readonly Tag[] | undefined
    /** What goes for the owner's number, where it is the provider. */
    readonly ownerAlias?: string | undefined
    readonly watermarks?: readonly Watermark[] | undefined
    /** Whether the viewer's criteria allow it, where it has some. */
    readonly isAllowed?: boolean | undefined
    /** The public parameter that stands for it. */
    readonly publicName?: string | undefined
    readonly scan?: ScanResults | undefined
    /** Nobody else is told when it was last launched. */
    readonly isOwner?: boolean
    readonly now: Date
  },
): ImageOutput {
  return {
    Architecture: image.architecture as ArchitectureValues,
    BlockDeviceMappings: image.blockDevices.map(viewBlockDevice),
    BootMode: image.bootMode,
    CreationDate: image.createdAt.toISOString(),
    DeprecationTime: image.deprecatesAt?.toISOString(),
    DeregistrationProtection: viewProtection(image, beside.now),
    Description: image.description,
    EnaSupport: image.enaSupport,
    FreeTierEligible: false,
    Hypervisor: 'xen',
    ImageAllowed: beside.isAllowed,
    ImageId: image.id,
    ImageLocation: image.location,
    ImageOwnerAlias: beside.ownerAlias,
    ImageType: 'machine',
    ImageWatermarks: viewWatermarks(beside.watermarks),
    InstanceTypeSpecification: image.instanceTypes && viewInstanceTypes(image.instanceTypes),
    ImdsSupport: image.imdsSupport as ImdsSupportValues | undefined,
    LastLaunchedTime: beside.isOwner ? image.lastLaunchedAt?.toISOString() : undefined,
    Name: image.name,
    OwnerId: image.accountId,
    // The SDK writes its one value `Windows`; EC2 answers it in lower case.
    Platform: image.platform as string | undefined as PlatformValues | undefined,
    PlatformDetails: image.platformDetails,
    Public: image.isPublic,
    PublicSsmParameterName: beside.publicName,
    RootDeviceName: image.rootDeviceName,
    RootDeviceType: image.rootDeviceType,
    ScanResults: beside.scan && viewScanResults(beside.scan),
    SourceImageId: image.sourceImageId,
    SourceImageRegion: image.sourceImageRegion,
    SourceInstanceId: image.sourceInstanceId,
    SriovNetSupport: image.sriovNetSupport,
    State: image.state === 'recycled' ? 'deregistered' : image.state,
    StateReason: image.stateReason && {
      Code: image.stateReason.code,
      Message: image.stateReason.message,
    },
    Tags: viewTags(beside.tags),
    TpmSupport: image.tpmSupport as TpmSupportValues | undefined,
    UsageOperation: image.usageOperation,
    VirtualizationType: image.virtualizationType as VirtualizationType,
  }
}

/** What an instance tells of the image that it was launched from. */
export function viewImageMetadata(
  image: Image,
  beside: {
    readonly ownerAlias: string | undefined
    readonly isAllowed: boolean | undefined
    readonly watermarks: readonly Watermark[] | undefined
    readonly now: Date
  },
): ImageMetadata {
  const { ImageId, Name, OwnerId, State, ImageOwnerAlias, CreationDate, Public, ...rest } =
    viewImage(image, { ...beside, tags: undefined })
  const { DeprecationTime, ImageAllowed, ImageWatermarks } = rest
  return {
    ImageId,
    Name,
    OwnerId,
    State,
    ImageOwnerAlias,
    CreationDate,
    DeprecationTime,
    ImageAllowed,
    IsPublic: Public,
    ImageWatermarks,
  }
}

function viewBlockDevice({ deviceName, virtualName, ebs }: BlockDevice): BlockDeviceMapping {
  return {
    DeviceName: deviceName,
    VirtualName: virtualName,
    ...(ebs && {
      Ebs: {
        DeleteOnTermination: ebs.deleteOnTermination,
        Iops: ebs.iops,
        SnapshotId: ebs.snapshotId,
        VolumeSize: ebs.sizeGiB,
        VolumeType: ebs.type as VolumeType,
        Throughput: ebs.throughput,
        Encrypted: ebs.isEncrypted === true,
      },
    }),
  }
}
