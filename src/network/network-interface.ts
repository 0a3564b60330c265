/** A network interface: the addresses of an instance in a subnet, and the groups it is in. */
import { ApiError } from '../lib/errors.ts'
import { type Id, isId } from '../lib/ids.ts'

export interface NetworkInterface {
  readonly id: Id<'network-interface'>
  readonly accountId: string
  readonly region: string
  readonly vpcId: Id<'vpc'>
  readonly subnetId: Id<'subnet'>
  readonly availabilityZone: string
  readonly mac: string
  readonly privateIp: string
  /** That it is given a public address by each start of its instance. */
  readonly assignsPublicIp: boolean
  /** A loopback alias of the host, 127.x.y.z; none while the instance is stopped. */
  readonly publicIp: string | undefined
  readonly description: string
  /** In the order in which they were asked for. */
  readonly groupIds: readonly Id<'security-group'>[]
  readonly attachment: InterfaceAttachment | undefined
  readonly createdAt: Date
}

export interface InterfaceAttachment {
  readonly id: Id<'network-interface-attachment'>
  readonly instanceId: Id<'instance'>
  readonly deviceIndex: number
  readonly deleteOnTermination: boolean
  readonly attachedAt: Date
}

export const groupsPerInterfaceMax = 5

export function parseInterfaceId(text: string): Id<'network-interface'> {
  if (isId('network-interface', text)) return text
  throw new ApiError(
    'InvalidNetworkInterfaceID.Malformed',
    `Invalid id: "${text}" (expecting "eni-...")`,
  )
}

export function interfaceNotFound(id: string): ApiError {
  return new ApiError(
    'InvalidNetworkInterfaceID.NotFound',
    `The networkInterface ID '${id}' does not exist`,
  )
}

/** A hardware address that is locally administered, and as unique as the id it is made of. */
export function macOf(id: Id<'network-interface'>): string {
  const digits = id.slice('eni-'.length).padEnd(10, '0')
  return `02:${[0, 2, 4, 6, 8].map((at) => digits.slice(at, at + 2)).join(':')}`
}
