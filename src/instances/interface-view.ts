/** The network interface of an instance as `DescribeInstances` shows it. */
import type { GroupIdentifier, InstanceNetworkInterface } from '@aws-sdk/client-ec2'
import type { NetworkInterface } from '../network/network-interface.ts'
import type { Instance } from './instance.ts'

export type GroupNames = ReadonlyMap<string, string>

export function viewGroups(nic: NetworkInterface, names: GroupNames): GroupIdentifier[] {
  return nic.groupIds.map((id) => ({ GroupId: id, GroupName: names.get(id) ?? '' }))
}

/** `ip-172-31-0-4.ec2.internal`: the name that the VPC's own DNS gives an address. */
export function privateDnsName(privateIp: string, region: string): string {
  const domain = region === 'us-east-1' ? 'ec2.internal' : `${region}.compute.internal`
  return `ip-${privateIp.replaceAll('.', '-')}.${domain}`
}

export function viewInterface(
  nic: NetworkInterface,
  instance: Instance,
  names: GroupNames,
): InstanceNetworkInterface {
  const { attachment, privateIp, publicIp } = nic
  const dnsName = privateDnsName(privateIp, nic.region)
  // A public address is a loopback alias of the host, and has no name.
  const association = publicIp && { PublicIp: publicIp, PublicDnsName: '', IpOwnerId: 'amazon' }
  const isUp = instance.state !== 'pending' && instance.state !== 'shutting-down'
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
        Status: isUp ? 'attached' : instance.state === 'pending' ? 'attaching' : 'detaching',
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
