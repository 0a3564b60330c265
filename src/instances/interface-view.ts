/** The network interface of an instance as `DescribeInstances` shows it. */
import type {
  AttachmentStatus,
  GroupIdentifier,
  InstanceNetworkInterface,
} from '@aws-sdk/client-ec2'
import type { NetworkInterface } from '../network/network-interface.ts'
import { privateDnsName } from '../network/vpc.ts'
import type { Instance } from './instance.ts'

export type GroupNames = ReadonlyMap<string, string>

export function viewGroups(nic: NetworkInterface, names: GroupNames): GroupIdentifier[] {
  return nic.groupIds.map((id) => ({ GroupId: id, GroupName: names.get(id) ?? '' }))
}

/** An interface comes and goes with its instance. */
export function attachmentStatus({ state }: Pick<Instance, 'state'>): AttachmentStatus {
  if (state === 'pending') return 'attaching'
  return state === 'shutting-down' ? 'detaching' : 'attached'
}

export function viewInterface(
  nic: NetworkInterface,
  instance: Instance,
  names: GroupNames,
): InstanceNetworkInterface {
  const { attachment, privateIp, publicIp } = nic
  const dnsName = privateDnsName(nic.region, privateIp)
  // A public address is a loopback alias of the host, and has no name.
  const association = publicIp && { PublicIp: publicIp, PublicDnsName: '', IpOwnerId: 'amazon' }
  return {
    NetworkInterfaceId: nic.id,
    SubnetId: nic.subnetId,
    VpcId: nic.vpcId,
    Description: nic.description,
    OwnerId: nic.accountId,
    Status: 'in-use',
    MacAddress: nic.mac,
    InterfaceType: 'interface',
    PrivateIpAddress: privateIp,
    PrivateDnsName: dnsName,
    SourceDestCheck: instance.hasSourceDestCheck,
    Groups: viewGroups(nic, names),
    Ipv6Addresses: [],
    ...(attachment && {
      Attachment: {
        AttachmentId: attachment.id,
        DeviceIndex: attachment.deviceIndex,
        NetworkCardIndex: 0,
        Status: attachmentStatus(instance),
        AttachTime: attachment.attachedAt,
        DeleteOnTermination: attachment.deleteOnTermination,
      },
    }),
    ...(association && { Association: association }),
    PrivateIpAddresses: [
      {
        Primary: true,
        PrivateIpAddress: privateIp,
        PrivateDnsName: dnsName,
        ...(association && { Association: association }),
      },
    ],
  }
}
