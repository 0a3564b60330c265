/** A subnet: a range of a VPC's addresses, in one zone. */
import { ApiError } from '../lib/errors.ts'
import { type Id, isId } from '../lib/ids.ts'
import { parseRange, textOfAddress, addressesIn } from './address.ts'

export interface Subnet {
  readonly id: Id<'subnet'>
  readonly accountId: string
  readonly region: string
  readonly vpcId: Id<'vpc'>
  readonly availabilityZone: string
  readonly cidr: string
  readonly isDefault: boolean
  readonly mapsPublicIp: boolean
}

/** As EC2 keeps them: the network, the router, DNS, one for later; and the broadcast address. */
const reservedFirst = 4
const reservedLast = 1

export function parseSubnetId(text: string): Id<'subnet'> {
  if (isId('subnet', text)) return text
  throw new ApiError('InvalidSubnetID.Malformed', `Invalid id: "${text}" (expecting "subnet-...")`)
}

export function subnetNotFound(id: string): ApiError {
  return new ApiError('InvalidSubnetID.NotFound', `The subnet ID '${id}' does not exist`)
}

/** The router's address: the first that is not the network's own. */
export function gatewayOf(cidr: string): string {
  return textOfAddress(parseRange(cidr).first + 1)
}

/** The first and the last address that an interface can have. */
export function hostAddresses(cidr: string): { readonly first: number; readonly last: number } {
  const { first, last } = parseRange(cidr)
  return { first: first + reservedFirst, last: last - reservedLast }
}

/** How many interfaces there is room for, besides those that are. */
export function availableAddresses(cidr: string, used: number): number {
  return addressesIn(cidr) - reservedFirst - reservedLast - used
}

/** The lowest address that is free, or nothing where the subnet is full. */
export function freeAddress(cidr: string, used: ReadonlySet<string>): string | undefined {
  const { first, last } = hostAddresses(cidr)
  for (let address = first; address <= last; address++) {
    const text = textOfAddress(address)
    if (!used.has(text)) return text
  }
  return undefined
}
