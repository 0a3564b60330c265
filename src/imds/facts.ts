/** Gathers what an instance is told of itself, from its address in its VPC. */
import type { Database } from '../db/database.ts'
import { findImage } from '../images/store.ts'
import type { Id } from '../lib/ids.ts'
import type { Instance } from '../instances/instance.ts'
import { hasHostRoot } from '../instances/instance-store.ts'
import { findInstance } from '../instances/store.ts'
import { findKeyPair } from '../key-pairs/store.ts'
import { listGroups } from '../network/group-store.ts'
import { listInterfaces } from '../network/interface-store.ts'
import type { NetworkInterface } from '../network/network-interface.ts'
import { findSubnet, findVpcById } from '../network/store.ts'
import { privateDnsName } from '../network/vpc.ts'
import { findZone } from '../network/zone.ts'
import { listTags } from '../tags/store.ts'
import { apiAddress } from '../vpc/spec.ts'
import { listAttachments } from '../volumes/store.ts'
import { type Asking, iamTree } from './role-of-instance.ts'
import type { Facts } from './tree.ts'

export interface Guest {
  readonly instance: Instance
  readonly port: NetworkInterface
}

/** Whose address it is. Guests cannot send from an address that is not theirs. */
export async function findGuest(
  db: Database,
  vpcId: Id<'vpc'>,
  address: string,
): Promise<Guest | undefined> {
  const [port] = await listInterfaces(db, { vpcId, privateIp: address })
  if (!port?.attachment) return undefined
  const instance = await findInstance(db, port.attachment.instanceId)
  return instance && { instance, port }
}

export async function gatherFacts(db: Database, guest: Guest, asking: Asking): Promise<Facts> {
  const { instance, port } = guest
  const { accountId, region, id } = instance
  const vpc = await findVpcById(db, port.vpcId)
  const subnet = await findSubnet(db, { accountId, region, id: port.subnetId })
  const groups = (await listGroups(db, { accountId, region })).filter((group) =>
    port.groupIds.includes(group.id),
  )
  const key =
    instance.keyName === undefined
      ? undefined
      : await findKeyPair(db, { accountId, region, name: instance.keyName })
  const mayReadTags = instance.metadataOptions.instanceMetadataTags === 'enabled'
  const tags = mayReadTags ? await listTags(db, { accountId, resourceIds: [id] }) : undefined
  const image = hasHostRoot(instance) ? await findImage(db, instance.imageId) : undefined
  const attachments = await listAttachments(db, { instanceIds: [id] })
  const devices = attachments.map(({ device }) => device)
  return {
    accountId,
    region,
    availabilityZone: instance.availabilityZone,
    availabilityZoneId: findZone(region, instance.availabilityZone)?.id ?? '',
    instanceId: id,
    imageId: instance.imageId,
    manifestPath: image?.location,
    instanceType: instance.instanceType,
    architecture: instance.architecture,
    reservationId: instance.reservationId,
    launchIndex: instance.launchIndex,
    launchedAt: instance.launchedAt,
    hostname: privateDnsName(region, port.privateIp),
    key: key && { name: key.name, publicKey: key.publicKey },
    groups: groups.map((group) => ({ id: group.id, name: group.name })),
    network: {
      interfaceId: port.id,
      mac: port.mac,
      privateIp: port.privateIp,
      publicIp: port.publicIp,
      subnetId: port.subnetId,
      subnetCidr: subnet?.cidr ?? '',
      vpcId: port.vpcId,
      vpcCidr: vpc?.cidr ?? '',
    },
    rootDeviceName: instance.rootDeviceName,
    otherDevices: devices.filter((device) => device !== instance.rootDeviceName).sort(),
    tags: tags && [...(tags.get(id) ?? [])],
    iam: await iamTree(db, guest, asking),
    endpoint: `http://${apiAddress}`,
  }
}
