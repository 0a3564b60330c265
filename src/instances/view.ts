/** An instance as EC2 answers it. */
import type {
  Instance as InstanceOutput,
  InstanceBlockDeviceMapping,
  InstanceMetadataOptionsResponse,
  InstanceState as InstanceStateOutput,
} from '@aws-sdk/client-ec2'
import type { Association } from '../instance-profiles/association.ts'
import { viewProfileOf } from '../instance-profiles/view.ts'
import type { NetworkInterface } from '../network/network-interface.ts'
import { privateDnsName } from '../network/vpc.ts'
import { findZone } from '../network/zone.ts'
import type { Tag } from '../tags/tag.ts'
import { viewTags } from '../tags/view.ts'
import type { Attachment } from '../volumes/attachment.ts'
import { type Instance, type InstanceState, stateCodes } from './instance.ts'
import { findInstanceType } from './instance-type.ts'
import { inBootOrder } from './hardware.ts'
import { type GroupNames, viewGroups, viewInterface } from './interface-view.ts'
import type { MetadataOptions } from './metadata-options.ts'

/** An instance with what belongs to it. */
export interface InstanceDetails {
  readonly instance: Instance
  readonly attachments: readonly Attachment[]
  readonly interfaces: readonly NetworkInterface[]
  readonly tags: readonly Tag[]
  readonly profile: Association | undefined
}

export function viewState(state: InstanceState): InstanceStateOutput {
  return { Code: stateCodes[state], Name: state }
}

export function viewMetadataOptions(options: MetadataOptions): InstanceMetadataOptionsResponse {
  return {
    State: 'applied',
    HttpTokens: options.httpTokens,
    HttpPutResponseHopLimit: options.httpPutResponseHopLimit,
    HttpEndpoint: options.httpEndpoint,
    HttpProtocolIpv6: options.httpProtocolIpv6,
    InstanceMetadataTags: options.instanceMetadataTags,
  }
}

/** The root comes first, where scripts look for it. */
export function viewDisks(
  attachments: readonly Attachment[],
  rootDeviceName: string,
): InstanceBlockDeviceMapping[] {
  return inBootOrder(attachments, rootDeviceName).map(viewDisk)
}

function viewDisk(attachment: Attachment): InstanceBlockDeviceMapping {
  return {
    DeviceName: attachment.device,
    Ebs: {
      VolumeId: attachment.volumeId,
      Status: attachment.state,
      AttachTime: attachment.attachedAt,
      DeleteOnTermination: attachment.deleteOnTermination,
    },
  }
}

export function viewInstance(details: InstanceDetails, names: GroupNames): InstanceOutput {
  const { instance, attachments, interfaces, tags, profile } = details
  const { state, cause } = instance
  const type = findInstanceType(instance.instanceType)
  const threads = type?.threadsPerCore ?? 1
  const [nic] = interfaces
  const root = attachments.find(({ device }) => device === instance.rootDeviceName)
  // The place of a terminated instance is free again, and EC2 says so.
  const isPlaced = state !== 'terminated'
  return {
    InstanceId: instance.id,
    ImageId: instance.imageId,
    InstanceType: instance.instanceType as NonNullable<InstanceOutput['InstanceType']>,
    State: viewState(state),
    StateTransitionReason: cause.transition,
    ...(cause.reason && {
      StateReason: { Code: cause.reason.code, Message: cause.reason.message },
    }),
    AmiLaunchIndex: instance.launchIndex,
    LaunchTime: instance.launchedAt,
    KeyName: instance.keyName,
    ClientToken: instance.clientToken ?? '',
    Architecture: instance.architecture as NonNullable<InstanceOutput['Architecture']>,
    Hypervisor: 'xen',
    VirtualizationType: 'hvm',
    // The SDK's type has a capital letter that EC2's answer lacks.
    Platform: instance.platform as 'Windows' | undefined,
    PlatformDetails: instance.platformDetails,
    UsageOperation: instance.usageOperation,
    UsageOperationUpdateTime: root?.attachedAt ?? instance.launchedAt,
    BootMode: instance.bootMode,
    CurrentInstanceBootMode: instance.currentBootMode,
    TpmSupport: instance.tpmSupport,
    RootDeviceName: instance.rootDeviceName,
    RootDeviceType: instance.rootDeviceType,
    BlockDeviceMappings: viewDisks(attachments, instance.rootDeviceName),
    EbsOptimized: instance.isEbsOptimized,
    EnaSupport: instance.enaSupport,
    ProductCodes: [],
    Placement: {
      AvailabilityZone: instance.availabilityZone,
      AvailabilityZoneId: findZone(instance.region, instance.availabilityZone)?.id,
      GroupName: '',
      Tenancy: 'default',
    },
    Monitoring: { State: instance.isMonitored ? 'enabled' : 'disabled' },
    ...(isPlaced && { SubnetId: instance.subnetId, VpcId: instance.vpcId }),
    NetworkInterfaces: interfaces.map((one) => viewInterface(one, instance, names)),
    SecurityGroups: nic ? viewGroups(nic, names) : [],
    ...(nic && { PrivateIpAddress: nic.privateIp, SourceDestCheck: instance.hasSourceDestCheck }),
    PrivateDnsName: nic ? privateDnsName(nic.region, nic.privateIp) : '',
    PublicIpAddress: nic?.publicIp,
    PublicDnsName: '',
    CpuOptions: { CoreCount: (type?.vcpus ?? 1) / threads, ThreadsPerCore: threads },
    CapacityReservationSpecification: { CapacityReservationPreference: 'open' },
    HibernationOptions: { Configured: false },
    EnclaveOptions: { Enabled: false },
    MaintenanceOptions: { AutoRecovery: 'default' },
    MetadataOptions: viewMetadataOptions(instance.metadataOptions),
    ...(profile && { IamInstanceProfile: viewProfileOf(profile) }),
    PrivateDnsNameOptions: {
      HostnameType: 'ip-name',
      EnableResourceNameDnsARecord: false,
      EnableResourceNameDnsAAAARecord: false,
    },
    Tags: viewTags(tags),
  }
}
