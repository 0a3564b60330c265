/**
 * The filters of VPCs, subnets and interfaces. Each looks at the resource as it is
 * answered; those for what none here has, match nothing.
 */
import type { NetworkInterface, Subnet, Vpc } from '@aws-sdk/client-ec2'
import type { FilterTable } from '../lib/filters.ts'

const nothing = () => undefined

const vpcCidr = (vpc: Vpc) => vpc.CidrBlock
const isDefaultVpc = (vpc: Vpc) => vpc.IsDefault

export const vpcFilters: FilterTable<Vpc> = {
  cidr: vpcCidr,
  'cidr-block': vpcCidr,
  'cidr-block-association.association-id': (vpc) =>
    vpc.CidrBlockAssociationSet?.map(({ AssociationId }) => AssociationId),
  'cidr-block-association.cidr-block': (vpc) =>
    vpc.CidrBlockAssociationSet?.map(({ CidrBlock }) => CidrBlock),
  'cidr-block-association.state': (vpc) =>
    vpc.CidrBlockAssociationSet?.map(({ CidrBlockState }) => CidrBlockState?.State),
  'dhcp-options-id': (vpc) => vpc.DhcpOptionsId,
  'ipv6-cidr-block-association.association-id': nothing,
  'ipv6-cidr-block-association.ipv6-cidr-block': nothing,
  'ipv6-cidr-block-association.ipv6-pool': nothing,
  'ipv6-cidr-block-association.state': nothing,
  'is-default': isDefaultVpc,
  isDefault: isDefaultVpc,
  'owner-id': (vpc) => vpc.OwnerId,
  state: (vpc) => vpc.State,
  'vpc-id': (vpc) => vpc.VpcId,
}

const zone = (subnet: Subnet) => subnet.AvailabilityZone
const zoneId = (subnet: Subnet) => subnet.AvailabilityZoneId
const subnetCidr = (subnet: Subnet) => subnet.CidrBlock
const isDefaultForZone = (subnet: Subnet) => subnet.DefaultForAz

export const subnetFilters: FilterTable<Subnet> = {
  'availability-zone': zone,
  availabilityZone: zone,
  'availability-zone-id': zoneId,
  availabilityZoneId: zoneId,
  'available-ip-address-count': (subnet) => subnet.AvailableIpAddressCount,
  cidr: subnetCidr,
  'cidr-block': subnetCidr,
  cidrBlock: subnetCidr,
  'customer-owned-ipv4-pool': nothing,
  'default-for-az': isDefaultForZone,
  defaultForAz: isDefaultForZone,
  'enable-dns64': (subnet) => subnet.EnableDns64,
  'enable-lni-at-device-index': nothing,
  'ipv6-cidr-block-association.association-id': nothing,
  'ipv6-cidr-block-association.ipv6-cidr-block': nothing,
  'ipv6-cidr-block-association.state': nothing,
  'ipv6-native': (subnet) => subnet.Ipv6Native,
  'map-customer-owned-ip-on-launch': (subnet) => subnet.MapCustomerOwnedIpOnLaunch,
  'map-public-ip-on-launch': (subnet) => subnet.MapPublicIpOnLaunch,
  'outpost-arn': nothing,
  'owner-id': (subnet) => subnet.OwnerId,
  'private-dns-name-options-on-launch.enable-resource-name-dns-a-record': (subnet) =>
    subnet.PrivateDnsNameOptionsOnLaunch?.EnableResourceNameDnsARecord,
  'private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record': (subnet) =>
    subnet.PrivateDnsNameOptionsOnLaunch?.EnableResourceNameDnsAAAARecord,
  'private-dns-name-options-on-launch.hostname-type': (subnet) =>
    subnet.PrivateDnsNameOptionsOnLaunch?.HostnameType,
  state: (subnet) => subnet.State,
  'subnet-arn': (subnet) => subnet.SubnetArn,
  'subnet-id': (subnet) => subnet.SubnetId,
  'vpc-id': (subnet) => subnet.VpcId,
}

export const interfaceFilters: FilterTable<NetworkInterface> = {
  'addresses.association.owner-id': (nic) =>
    nic.PrivateIpAddresses?.map(({ Association }) => Association?.IpOwnerId),
  'addresses.association.public-ip': (nic) =>
    nic.PrivateIpAddresses?.map(({ Association }) => Association?.PublicIp),
  'addresses.primary': (nic) => nic.PrivateIpAddresses?.map(({ Primary }) => Primary),
  'addresses.private-ip-address': (nic) =>
    nic.PrivateIpAddresses?.map(({ PrivateIpAddress }) => PrivateIpAddress),
  'association.allocation-id': nothing,
  'association.association-id': nothing,
  'association.ip-owner-id': (nic) => nic.Association?.IpOwnerId,
  'association.public-dns-name': (nic) => nic.Association?.PublicDnsName || undefined,
  'association.public-ip': (nic) => nic.Association?.PublicIp,
  'attachment.attach-time': (nic) => nic.Attachment?.AttachTime,
  'attachment.attachment-id': (nic) => nic.Attachment?.AttachmentId,
  'attachment.delete-on-termination': (nic) => nic.Attachment?.DeleteOnTermination,
  'attachment.device-index': (nic) => nic.Attachment?.DeviceIndex,
  'attachment.instance-id': (nic) => nic.Attachment?.InstanceId,
  'attachment.instance-owner-id': (nic) => nic.Attachment?.InstanceOwnerId,
  'attachment.status': (nic) => nic.Attachment?.Status,
  'availability-zone': (nic) => nic.AvailabilityZone,
  'availability-zone-id': (nic) => nic.AvailabilityZoneId,
  description: (nic) => nic.Description,
  'group-id': (nic) => nic.Groups?.map(({ GroupId }) => GroupId),
  'group-name': (nic) => nic.Groups?.map(({ GroupName }) => GroupName),
  'interface-type': (nic) => nic.InterfaceType,
  'ipv6-addresses.ipv6-address': nothing,
  'mac-address': (nic) => nic.MacAddress,
  'network-interface-id': (nic) => nic.NetworkInterfaceId,
  'operator.managed': nothing,
  'operator.principal': nothing,
  'owner-id': (nic) => nic.OwnerId,
  'private-dns-name': (nic) => nic.PrivateDnsName,
  'private-ip-address': (nic) => nic.PrivateIpAddress,
  'requester-id': nothing,
  'requester-managed': (nic) => nic.RequesterManaged,
  'source-dest-check': (nic) => nic.SourceDestCheck,
  status: (nic) => nic.Status,
  'subnet-id': (nic) => nic.SubnetId,
  'vpc-id': (nic) => nic.VpcId,
}
