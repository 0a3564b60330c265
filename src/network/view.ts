/** VPCs, subnets and interfaces as EC2 answers them. */
import type {
  NetworkInterface as InterfaceOutput,
  Subnet as SubnetOutput,
  Vpc as VpcOutput,
} from '@aws-sdk/client-ec2'
import type { Instance } from '../instances/instance.ts'
import { attachmentStatus } from '../instances/interface-view.ts'
import type { Tag } from '../tags/tag.ts'
import { viewTags } from '../tags/view.ts'
import type { NetworkInterface } from './network-interface.ts'
import type { SecurityGroup } from './security-group.ts'
import { availableAddresses, type Subnet } from './subnet.ts'
import { privateDnsName, type Vpc } from './vpc.ts'
import { findZone } from './zone.ts'

/** An interface with what else it takes to show it. */
export interface InterfaceFacts {
  readonly found: NetworkInterface
  /** The groups that it is in, by their ids. */
  readonly groups: ReadonlyMap<string, SecurityGroup>
  /** The instance that it is attached to. */
  readonly instance: Pick<Instance, 'state' | 'hasSourceDestCheck'> | undefined
  readonly tags: readonly Tag[]
}

export function viewVpc(vpc: Vpc, tags: readonly Tag[]): VpcOutput {
  const suffix = vpc.id.slice('vpc-'.length)
  return {
    VpcId: vpc.id,
    OwnerId: vpc.accountId,
    State: 'available',
    CidrBlock: vpc.cidr,
    CidrBlockAssociationSet: [
      {
        AssociationId: `vpc-cidr-assoc-${suffix}`,
        CidrBlock: vpc.cidr,
        CidrBlockState: { State: 'associated' },
      },
    ],
    DhcpOptionsId: `dopt-${suffix}`,
    InstanceTenancy: 'default',
    IsDefault: vpc.isDefault,
    Tags: viewTags(tags),
  }
}

export interface SubnetFacts {
  readonly subnet: Subnet
  readonly addressesInUse: number
  readonly tags: readonly Tag[]
}

export function viewSubnet({ subnet, addressesInUse, tags }: SubnetFacts): SubnetOutput {
  const { id, accountId, region } = subnet
  return {
    SubnetId: id,
    SubnetArn: `arn:aws:ec2:${region}:${accountId}:subnet/${id}`,
    OwnerId: accountId,
    State: 'available',
    VpcId: subnet.vpcId,
    CidrBlock: subnet.cidr,
    AvailableIpAddressCount: availableAddresses(subnet.cidr, addressesInUse),
    AvailabilityZone: subnet.availabilityZone,
    AvailabilityZoneId: findZone(region, subnet.availabilityZone)?.id,
    DefaultForAz: subnet.isDefault,
    MapPublicIpOnLaunch: subnet.mapsPublicIp,
    MapCustomerOwnedIpOnLaunch: false,
    AssignIpv6AddressOnCreation: false,
    Ipv6CidrBlockAssociationSet: [],
    Ipv6Native: false,
    EnableDns64: false,
    PrivateDnsNameOptionsOnLaunch: {
      HostnameType: 'ip-name',
      EnableResourceNameDnsARecord: false,
      EnableResourceNameDnsAAAARecord: false,
    },
    Tags: viewTags(tags),
  }
}

export function viewInterface({ found, groups, instance, tags }: InterfaceFacts): InterfaceOutput {
  const { attachment, availabilityZone, publicIp } = found
  // No name server knows a public name, so there is none; the address is for use.
  const association = publicIp && { IpOwnerId: 'amazon', PublicDnsName: '', PublicIp: publicIp }
  const name = privateDnsName(found.region, found.privateIp)
  return {
    NetworkInterfaceId: found.id,
    OwnerId: found.accountId,
    VpcId: found.vpcId,
    SubnetId: found.subnetId,
    AvailabilityZone: availabilityZone,
    AvailabilityZoneId: findZone(found.region, availabilityZone)?.id,
    Description: found.description,
    MacAddress: found.mac,
    PrivateDnsName: name,
    PrivateIpAddress: found.privateIp,
    PrivateIpAddresses: [
      {
        Primary: true,
        PrivateDnsName: name,
        PrivateIpAddress: found.privateIp,
        ...(association && { Association: association }),
      },
    ],
    ...(association && { Association: association }),
    Groups: found.groupIds.map((id) => ({ GroupId: id, GroupName: groups.get(id)?.name })),
    InterfaceType: 'interface',
    Ipv6Addresses: [],
    SourceDestCheck: instance?.hasSourceDestCheck ?? true,
    Status: attachment ? 'in-use' : 'available',
    Attachment: attachment && {
      AttachmentId: attachment.id,
      AttachTime: attachment.attachedAt,
      DeleteOnTermination: attachment.deleteOnTermination,
      DeviceIndex: attachment.deviceIndex,
      NetworkCardIndex: 0,
      Status: instance ? attachmentStatus(instance) : 'attached',
      InstanceId: attachment.instanceId,
      InstanceOwnerId: found.accountId,
    },
    RequesterManaged: false,
    TagSet: viewTags(tags),
  }
}
