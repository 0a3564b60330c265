/**
 * Gives an instance its place in a subnet: addresses that nobody has, and groups
 * of the subnet's VPC.
 */
import assert from 'node:assert/strict'
import { isIPv4 } from 'node:net'
import type { Database, Tx } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'
import { deleteTagsOf } from '../tags/store.ts'
import type { WriteCall } from '../wire/operation.ts'
import { isInRange, numberOfAddress } from './address.ts'
import { listGroups } from './group-store.ts'
import { deleteInterface, insertInterface, listPrivateIps } from './interface-store.ts'
import { groupsPerInterfaceMax, macOf, type NetworkInterface } from './network-interface.ts'
import { takePublicIp } from './public-address.ts'
import { defaultGroupName, groupNotFound, parseGroupId } from './security-group.ts'
import { findDefaultVpc, findSubnet, listSubnets } from './store.ts'
import { freeAddress, hostAddresses, parseSubnetId, type Subnet, subnetNotFound } from './subnet.ts'

type Call = Pick<WriteCall<unknown>, 'tx' | 'now' | 'newId' | 'caller' | 'region'>

/** A call as far as it is looked around for: in its transaction, or before. */
interface Looking {
  readonly tx: Database
  readonly caller: { readonly accountId: string }
  readonly region: string
}

export interface WantedInterface {
  /** Where nothing is said: the default subnet of the zone, or of the first zone. */
  readonly subnetId?: string | undefined
  readonly availabilityZone?: string | undefined
  readonly groupIds?: readonly string[] | undefined
  readonly groupNames?: readonly string[] | undefined
  readonly privateIp?: string | undefined
  /** Where nothing is said: as the subnet has it. */
  readonly wantsPublicIp?: boolean | undefined
  readonly description?: string | undefined
  readonly instanceId: Id<'instance'>
  readonly deviceIndex: number
  readonly deleteOnTermination: boolean
}

/** The subnet that a launch goes to. */
export async function findSubnetForLaunch(
  { tx, caller, region }: Looking,
  wanted: Pick<WantedInterface, 'subnetId' | 'availabilityZone'>,
): Promise<Subnet> {
  const owner = { accountId: caller.accountId, region }
  const { subnetId, availabilityZone } = wanted
  if (subnetId !== undefined) {
    const found = await findSubnet(tx, { ...owner, id: parseSubnetId(subnetId) })
    if (!found) throw subnetNotFound(subnetId)
    if (availabilityZone !== undefined && availabilityZone !== found.availabilityZone) {
      throw new ApiError(
        'InvalidParameterValue',
        `Value (${availabilityZone}) for parameter availabilityZone is invalid. Subnet '${subnetId}' is in the availability zone ${found.availabilityZone}`,
      )
    }
    return found
  }
  const vpc = await findDefaultVpc(tx, owner)
  const subnets = (await listSubnets(tx, owner))
    .filter((one) => one.isDefault && one.vpcId === vpc?.id)
    .toSorted((one, other) => (one.availabilityZone < other.availabilityZone ? -1 : 1))
  const found = subnets.find(
    (one) => availabilityZone === undefined || one.availabilityZone === availabilityZone,
  )
  if (found) return found
  if (availabilityZone === undefined) {
    throw new ApiError('MissingParameter', 'The request must contain the parameter subnetId')
  }
  throw new ApiError('InvalidParameterValue', `Invalid availability zone: [${availabilityZone}]`)
}

/** Records an interface of an instance, with addresses of its own. */
export async function createInterface(
  call: Call,
  wanted: WantedInterface,
): Promise<NetworkInterface> {
  const { tx, now, newId, caller, region } = call
  const subnet = await findSubnetForLaunch(call, wanted)
  const id = newId('network-interface')
  const assignsPublicIp = wanted.wantsPublicIp ?? subnet.mapsPublicIp
  const made: NetworkInterface = {
    id,
    accountId: caller.accountId,
    region,
    vpcId: subnet.vpcId,
    subnetId: subnet.id,
    availabilityZone: subnet.availabilityZone,
    mac: macOf(id),
    privateIp: await takePrivateIp(tx, subnet, wanted.privateIp),
    assignsPublicIp,
    publicIp: assignsPublicIp
      ? await takePublicIp(tx, Number.parseInt(id.slice(-8), 16))
      : undefined,
    description: wanted.description ?? '',
    groupIds: await findGroupsOfInterface(call, subnet, wanted),
    attachment: {
      id: newId('network-interface-attachment'),
      instanceId: wanted.instanceId,
      deviceIndex: wanted.deviceIndex,
      deleteOnTermination: wanted.deleteOnTermination,
      attachedAt: now,
    },
    createdAt: now,
  }
  await insertInterface(tx, made)
  return made
}

/** Forgets an interface. Its addresses may go to the next one. */
export async function releaseInterface(tx: Tx, id: Id<'network-interface'>): Promise<void> {
  await deleteInterface(tx, id)
  await deleteTagsOf(tx, id)
}

/** Finds groups by id and by name in the subnet's VPC; its default group where none is named. */
export async function findGroupsOfInterface(
  { tx, caller, region }: Looking,
  { vpcId }: Pick<Subnet, 'vpcId'>,
  wanted: Pick<WantedInterface, 'groupIds' | 'groupNames'>,
): Promise<readonly Id<'security-group'>[]> {
  const all = await listGroups(tx, { accountId: caller.accountId, region })
  const { groupIds = [], groupNames = [] } = wanted
  const byId = groupIds.map(parseGroupId).map((id) => {
    const group = all.find((one) => one.id === id)
    if (!group) throw groupNotFound(id)
    if (group.vpcId === vpcId) return group.id
    throw new ApiError(
      'InvalidParameter',
      `Security group ${id} and subnet belong to different networks.`,
    )
  })
  const inVpc = all.filter((one) => one.vpcId === vpcId)
  const byName = groupNames.map((name) => {
    const group = inVpc.find((one) => one.name === name)
    if (!group) throw groupNotFound(name)
    return group.id
  })
  const found = [...new Set([...byId, ...byName])]
  if (found.length > groupsPerInterfaceMax) {
    throw new ApiError(
      'InvalidParameterValue',
      `An interface can be in at most ${groupsPerInterfaceMax} security groups.`,
    )
  }
  if (found.length > 0) return found
  const standard = inVpc.find((one) => one.name === defaultGroupName)
  assert(standard, `${vpcId}: no default security group`)
  return [standard.id]
}

async function takePrivateIp(tx: Tx, subnet: Subnet, wanted: string | undefined): Promise<string> {
  const used = await listPrivateIps(tx, subnet.id)
  if (wanted === undefined) {
    const free = freeAddress(subnet.cidr, used)
    if (free !== undefined) return free
    throw new ApiError(
      'InsufficientFreeAddressesInSubnet',
      `There are not enough free addresses in subnet '${subnet.id}' to satisfy the requested number of instances.`,
    )
  }
  const { first, last } = hostAddresses(subnet.cidr)
  if (!isIPv4(wanted) || !isInRange(subnet.cidr, wanted)) {
    throw new ApiError(
      'InvalidParameterValue',
      `Address ${wanted} does not fall within the subnet's address range`,
    )
  }
  const number = numberOfAddress(wanted)
  if (number < first || number > last) {
    throw new ApiError(
      'InvalidParameterValue',
      `Address ${wanted} is in subnet's reserved address range`,
    )
  }
  if (used.has(wanted)) {
    throw new ApiError('InvalidIPAddress.InUse', `Address ${wanted} is in use.`)
  }
  return wanted
}
