/** What the filters of `DescribeNetworkInterfaces` look at. */
import type { FilterTable } from '../lib/filters.ts'
import type { InterfaceFacts } from './view.ts'
import { privateDnsName } from './vpc.ts'

export const interfaceFilters: FilterTable<InterfaceFacts> = {
  'addresses.association.public-ip': ({ found }) => found.publicIp,
  'addresses.primary': () => true,
  'addresses.private-ip-address': ({ found }) => found.privateIp,
  'association.public-ip': ({ found }) => found.publicIp,
  'attachment.attach-time': ({ found }) => found.attachment?.attachedAt,
  'attachment.attachment-id': ({ found }) => found.attachment?.id,
  'attachment.delete-on-termination': ({ found }) => found.attachment?.deleteOnTermination,
  'attachment.device-index': ({ found }) => found.attachment?.deviceIndex,
  'attachment.instance-id': ({ found }) => found.attachment?.instanceId,
  'attachment.instance-owner-id': ({ found }) => found.attachment && found.accountId,
  'attachment.status': ({ found }) => found.attachment && 'attached',
  'availability-zone': ({ found }) => found.availabilityZone,
  description: ({ found }) => found.description,
  'group-id': ({ found }) => found.groupIds,
  'group-name': ({ found, groups }) => found.groupIds.map((id) => groups.get(id)?.name),
  'interface-type': () => 'interface',
  'mac-address': ({ found }) => found.mac,
  'network-interface-id': ({ found }) => found.id,
  'owner-id': ({ found }) => found.accountId,
  'private-dns-name': ({ found }) => privateDnsName(found.region, found.privateIp),
  'private-ip-address': ({ found }) => found.privateIp,
  'requester-managed': () => false,
  'source-dest-check': () => true,
  status: ({ found }) => (found.attachment ? 'in-use' : 'available'),
  'subnet-id': ({ found }) => found.subnetId,
  'vpc-id': ({ found }) => found.vpcId,
}
