/**
 * The filters of `DescribeInstances`. Each looks at the instance as it is
 * answered; those for what no instance here has, match nothing.
 */
import type {
  Instance,
  InstanceNetworkInterface,
  InstanceNetworkInterfaceAttachment,
} from '@aws-sdk/client-ec2'
import type { FilterTable } from '../lib/filters.ts'
import type { ViewedInstance } from './details.ts'

type Value = string | number | boolean | Date | undefined
type Look<Item> = (item: Item) => Value | readonly Value[]

const nothing = () => undefined

const ofInstance: Readonly<Record<string, Look<Instance>>> = {
  affinity: (view) => view.Placement?.Affinity,
  architecture: (view) => view.Architecture,
  'availability-zone': (view) => view.Placement?.AvailabilityZone,
  'availability-zone-id': (view) => view.Placement?.AvailabilityZoneId,
  'boot-mode': (view) => view.BootMode,
  'capacity-reservation-specification.capacity-reservation-preference': (view) =>
    view.CapacityReservationSpecification?.CapacityReservationPreference,
  'client-token': (view) => view.ClientToken,
  'current-instance-boot-mode': (view) => view.CurrentInstanceBootMode,
  'dns-name': (view) => view.PublicDnsName,
  'ebs-optimized': (view) => view.EbsOptimized,
  'ena-support': (view) => view.EnaSupport,
  'enclave-options.enabled': (view) => view.EnclaveOptions?.Enabled,
  'hibernation-options.configured': (view) => view.HibernationOptions?.Configured,
  hypervisor: (view) => view.Hypervisor,
  'iam-instance-profile.arn': (view) => view.IamInstanceProfile?.Arn,
  'iam-instance-profile.id': (view) => view.IamInstanceProfile?.Id,
  'iam-instance-profile.name': (view) => view.IamInstanceProfile?.Arn?.split('/').at(-1),
  'image-id': (view) => view.ImageId,
  'instance-id': (view) => view.InstanceId,
  'instance-state-code': (view) => view.State?.Code,
  'instance-state-name': (view) => view.State?.Name,
  'instance-type': (view) => view.InstanceType,
  'instance.group-id': (view) => view.SecurityGroups?.map(({ GroupId }) => GroupId),
  'instance.group-name': (view) => view.SecurityGroups?.map(({ GroupName }) => GroupName),
  'ip-address': (view) => view.PublicIpAddress,
  'key-name': (view) => view.KeyName,
  'launch-index': (view) => view.AmiLaunchIndex,
  'launch-time': (view) => view.LaunchTime,
  'maintenance-options.auto-recovery': (view) => view.MaintenanceOptions?.AutoRecovery,
  'metadata-options.http-endpoint': (view) => view.MetadataOptions?.HttpEndpoint,
  'metadata-options.http-protocol-ipv6': (view) => view.MetadataOptions?.HttpProtocolIpv6,
  'metadata-options.http-put-response-hop-limit': (view) =>
    view.MetadataOptions?.HttpPutResponseHopLimit,
  'metadata-options.http-tokens': (view) => view.MetadataOptions?.HttpTokens,
  'metadata-options.instance-metadata-tags': (view) => view.MetadataOptions?.InstanceMetadataTags,
  'metadata-options.state': (view) => view.MetadataOptions?.State,
  'monitoring-state': (view) => view.Monitoring?.State,
  'placement-group-name': (view) => view.Placement?.GroupName || undefined,
  platform: (view) => view.Platform,
  'platform-details': (view) => view.PlatformDetails,
  'private-dns-name': (view) => view.PrivateDnsName,
  'private-dns-name-options.enable-resource-name-dns-a-record': (view) =>
    view.PrivateDnsNameOptions?.EnableResourceNameDnsARecord,
  'private-dns-name-options.enable-resource-name-dns-aaaa-record': (view) =>
    view.PrivateDnsNameOptions?.EnableResourceNameDnsAAAARecord,
  'private-dns-name-options.hostname-type': (view) => view.PrivateDnsNameOptions?.HostnameType,
  'private-ip-address': (view) => view.PrivateIpAddress,
  reason: (view) => view.StateTransitionReason,
  'root-device-name': (view) => view.RootDeviceName,
  'root-device-type': (view) => view.RootDeviceType,
  'source-dest-check': (view) => view.SourceDestCheck,
  'state-reason-code': (view) => view.StateReason?.Code,
  'state-reason-message': (view) => view.StateReason?.Message,
  'subnet-id': (view) => view.SubnetId,
  tenancy: (view) => view.Placement?.Tenancy,
  'usage-operation': (view) => view.UsageOperation,
  'usage-operation-update-time': (view) => view.UsageOperationUpdateTime,
  'virtualization-type': (view) => view.VirtualizationType,
  'vpc-id': (view) => view.VpcId,
}

type Disk = NonNullable<NonNullable<Instance['BlockDeviceMappings']>[number]>

const ofDisk: Readonly<Record<string, Look<Disk>>> = {
  'block-device-mapping.attach-time': (disk) => disk.Ebs?.AttachTime,
  'block-device-mapping.delete-on-termination': (disk) => disk.Ebs?.DeleteOnTermination,
  'block-device-mapping.device-name': (disk) => disk.DeviceName,
  'block-device-mapping.status': (disk) => disk.Ebs?.Status,
  'block-device-mapping.volume-id': (disk) => disk.Ebs?.VolumeId,
}

const ofInterface: Readonly<Record<string, Look<InstanceNetworkInterface>>> = {
  'network-interface.addresses.association.ip-owner-id': (nic) => nic.Association?.IpOwnerId,
  'network-interface.addresses.association.public-ip': (nic) => nic.Association?.PublicIp,
  'network-interface.addresses.primary': (nic) =>
    nic.PrivateIpAddresses?.map(({ Primary }) => Primary),
  'network-interface.addresses.private-dns-name': (nic) =>
    nic.PrivateIpAddresses?.map(({ PrivateDnsName }) => PrivateDnsName),
  'network-interface.addresses.private-ip-address': (nic) =>
    nic.PrivateIpAddresses?.map(({ PrivateIpAddress }) => PrivateIpAddress),
  'network-interface.association.ip-owner-id': (nic) => nic.Association?.IpOwnerId,
  'network-interface.association.public-ip': (nic) => nic.Association?.PublicIp,
  'network-interface.description': (nic) => nic.Description,
  'network-interface.group-id': (nic) => nic.Groups?.map(({ GroupId }) => GroupId),
  'network-interface.group-name': (nic) => nic.Groups?.map(({ GroupName }) => GroupName),
  'network-interface.mac-address': (nic) => nic.MacAddress,
  'network-interface.network-interface-id': (nic) => nic.NetworkInterfaceId,
  'network-interface.owner-id': (nic) => nic.OwnerId,
  'network-interface.private-dns-name': (nic) => nic.PrivateDnsName,
  'network-interface.private-ip-address': (nic) => nic.PrivateIpAddress,
  'network-interface.source-dest-check': (nic) => nic.SourceDestCheck,
  'network-interface.status': (nic) => nic.Status,
  'network-interface.subnet-id': (nic) => nic.SubnetId,
  'network-interface.vpc-id': (nic) => nic.VpcId,
}

const ofAttachment: Readonly<Record<string, Look<InstanceNetworkInterfaceAttachment>>> = {
  'network-interface.attachment.attach-time': (attachment) => attachment.AttachTime,
  'network-interface.attachment.attachment-id': (attachment) => attachment.AttachmentId,
  'network-interface.attachment.delete-on-termination': (attachment) =>
    attachment.DeleteOnTermination,
  'network-interface.attachment.device-index': (attachment) => attachment.DeviceIndex,
  'network-interface.attachment.network-card-index': (attachment) => attachment.NetworkCardIndex,
  'network-interface.attachment.status': (attachment) => attachment.Status,
}

/** What an interface has from its instance. */
const ofInterfaceOf: Readonly<Record<string, Look<ViewedInstance['instance']>>> = {
  'network-interface.attachment.instance-id': ({ id }) => id,
  'network-interface.attachment.instance-owner-id': ({ accountId }) => accountId,
  'network-interface.availability-zone': ({ availabilityZone }) => availabilityZone,
  'network-interface.requester-managed': () => false,
}

/** Names that EC2 knows, of things that no instance here has. */
const empty = [
  'capacity-reservation-id',
  'capacity-reservation-specification.capacity-reservation-target.capacity-reservation-id',
  'capacity-reservation-specification.capacity-reservation-target.capacity-reservation-resource-group-arn',
  'group-id',
  'group-name',
  'host-id',
  'instance-lifecycle',
  'ipv6-address',
  'kernel-id',
  'metadata-options.http-protocol-ipv4',
  'network-interface.addresses.association.allocation-id',
  'network-interface.addresses.association.association-id',
  'network-interface.addresses.association.carrier-ip',
  'network-interface.addresses.association.customer-owned-ip',
  'network-interface.addresses.association.public-dns-name',
  'network-interface.association.allocation-id',
  'network-interface.association.association-id',
  'network-interface.association.carrier-ip',
  'network-interface.association.customer-owned-ip',
  'network-interface.association.public-dns-name',
  'network-interface.deny-all-igw-traffic',
  'network-interface.ipv4-prefixes.ipv4-prefix',
  'network-interface.ipv6-address',
  'network-interface.ipv6-addresses.ipv6-address',
  'network-interface.ipv6-addresses.is-primary-ipv6',
  'network-interface.ipv6-native',
  'network-interface.ipv6-prefixes.ipv6-prefix',
  'network-interface.operator.managed',
  'network-interface.operator.principal',
  'network-interface.outpost-arn',
  'network-interface.public-dns-name',
  'network-interface.requester-id',
  'network-performance-options.bandwidth-weighting',
  'operator.managed',
  'operator.principal',
  'outpost-arn',
  'placement-partition-number',
  'product-code',
  'product-code.type',
  'ramdisk-id',
  'requester-id',
  'spot-instance-request-id',
]

export const instanceFilters: FilterTable<ViewedInstance> = {
  ...Object.fromEntries(empty.map((name) => [name, nothing])),
  ...through(ofInstance, ({ view }) => [view]),
  ...through(ofDisk, ({ view }) => view.BlockDeviceMappings ?? []),
  ...through(ofInterface, ({ view }) => view.NetworkInterfaces ?? []),
  ...through(ofAttachment, ({ view }) =>
    (view.NetworkInterfaces ?? []).flatMap(({ Attachment }) => Attachment ?? []),
  ),
  ...through(ofInterfaceOf, ({ instance, view }) =>
    (view.NetworkInterfaces ?? []).map(() => instance),
  ),
  'network-interface.tag-key': ({ interfaceTags }) => interfaceTags.map(({ key }) => key),
  'network-interface.tag-value': ({ interfaceTags }) => interfaceTags.map(({ value }) => value),
  'tpm-support': ({ instance }) => instance.tpmSupport,
  'owner-id': ({ instance }) => instance.accountId,
  'reservation-id': ({ instance }) => instance.reservationId,
}

/** A table about the parts of an instance, made into one about instances. */
function through<Part>(
  table: Readonly<Record<string, Look<Part>>>,
  parts: (item: ViewedInstance) => readonly Part[],
): FilterTable<ViewedInstance> {
  const looks = Object.entries(table).map(([name, look]) => [
    name,
    (item: ViewedInstance) => parts(item).flatMap((part): readonly Value[] => [look(part)].flat()),
  ])
  return Object.fromEntries(looks) as FilterTable<ViewedInstance>
}
