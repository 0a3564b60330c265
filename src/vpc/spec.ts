/**
 * What the network of one VPC shall be: the whole wish, handed over each time.
 * Nothing here knows accounts, security groups or a database; groups that name
 * other groups arrive as rules whose peers are /32 CIDRs.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { isDeepStrictEqual } from 'node:util'

export interface VpcSpec {
  /** Names the VPC in messages; also seeds the hardware address of its gateway. */
  readonly id: string
  /** The run folder: sockets, pid files, the files of dnsmasq. Made if missing. */
  readonly folder: string
  readonly subnets: readonly Subnet[]
  /** An address of its own at which DNS answers (EC2: the VPC's base + 2). Else the gateways do. */
  readonly resolverAddress?: string
  /** The domain told to guests and answered by us alone, like `ec2.internal`. */
  readonly domain?: string
  readonly ports: readonly Port[]
}

export interface Subnet {
  readonly cidr: string
  /** The first host address of the subnet. */
  readonly gateway: string
}

/** Where one machine is plugged in. */
export interface Port {
  /** Unique in the VPC; letters, digits, `-`, `_`, `.`. */
  readonly id: string
  readonly mac: string
  readonly address: string
  /** Answered by DNS; its first label is told to the guest. */
  readonly hostname: string
  /** A loopback address of the host, 127.x.y.z, from which opened ports are forwarded. */
  readonly publicAddress?: string
  readonly ingress: readonly Rule[]
  readonly egress: readonly Rule[]
  readonly metadata: {
    readonly enabled: boolean
    /** The IP time-to-live of answers to `PUT`, 1 to 64. */
    readonly hopLimit: number
  }
}

/** Traffic that is let through. What no rule names is dropped. */
export interface Rule {
  readonly protocol: 'tcp' | 'udp' | 'icmp' | 'icmpv6' | 'all' | number
  /** The first port, or the ICMP type; missing or -1: any. */
  readonly fromPort?: number
  /** The last port, or the ICMP code; missing or -1: any. */
  readonly toPort?: number
  /** The peers. IPv6 CIDRs are ignored: guests have IPv4 alone. */
  readonly cidrs: readonly string[]
}

/** The metadata service's address, the same in every VPC. */
export const metadataAddress = '169.254.169.254'

/** The address of the API, likewise: as near to the guests, and nothing else is there. */
export const apiAddress = '169.254.169.252'

/** The tap device of a port: at most 15 characters, the same at every call. */
export function tapName(portId: string): string {
  return `tap${createHash('sha256').update(portId).digest('hex').slice(0, 12)}`
}

/** The fixed hardware address of a VPC's gateway, so that guests' ARP entries stay right. */
export function gatewayMac(vpcId: string): string {
  const hex = createHash('sha256').update(vpcId).digest('hex')
  return `02:${[0, 2, 4, 6, 8].map((at) => hex.slice(at, at + 2)).join(':')}`
}

/** What must happen to the ports to come from one wish to the next. */
export interface PortChanges {
  readonly added: readonly Port[]
  readonly removed: readonly Port[]
  /** The new form of ports that stay plugged in. */
  readonly changed: readonly Port[]
}

export function portChanges(before: readonly Port[], after: readonly Port[]): PortChanges {
  const old = new Map(before.map((port) => [port.id, port]))
  const kept = new Set(after.map((port) => port.id))
  return {
    added: after.filter((port) => !old.has(port.id)),
    removed: before.filter((port) => !kept.has(port.id)),
    changed: after.filter((port) => {
      const was = old.get(port.id)
      return was !== undefined && was !== port && !isDeepStrictEqual(was, port)
    }),
  }
}

/** @throws on a spec whose texts could be taken for something else by the tools they go to. */
export function checkSpec(spec: VpcSpec): void {
  const ids = new Set<string>()
  for (const port of spec.ports) {
    assert(!ids.has(port.id), `port twice: ${port.id}`)
    ids.add(port.id)
    assert(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(port.mac), `not a lower-case MAC: ${port.mac}`)
    assert(isIPv4(port.address), `not an IPv4 address: ${port.address}`)
    assert(/^[\w.-]+$/.test(port.hostname), `not a host name: ${port.hostname}`)
    const hops = port.metadata.hopLimit
    assert(Number.isInteger(hops) && hops >= 1 && hops <= 64, `not a hop limit: ${hops}`)
    if (port.publicAddress !== undefined) {
      assert(
        port.publicAddress.startsWith('127.') && isIPv4(port.publicAddress),
        port.publicAddress,
      )
    }
    for (const rule of [...port.ingress, ...port.egress]) {
      const numbers = [rule.fromPort ?? -1, rule.toPort ?? -1]
      if (typeof rule.protocol === 'number') numbers.push(rule.protocol)
      assert(
        numbers.every((n) => Number.isInteger(n) && n >= -1 && n <= 65_535),
        'not a port',
      )
    }
  }
  for (const { gateway } of spec.subnets) assert(isIPv4(gateway), `not an address: ${gateway}`)
  assert(spec.resolverAddress === undefined || isIPv4(spec.resolverAddress), 'not an address')
  assert(spec.domain === undefined || /^[\w.-]+$/.test(spec.domain), `not a domain: ${spec.domain}`)
}
