/**
 * The devices of a VPC as commands for `ip -batch`: one bridge with the gateway
 * address of every subnet, and one tap a port. The taps are isolated from each
 * other and the bridge answers ARP for all of them, so that every packet between
 * two machines is routed, and passes the filter, even within one subnet.
 */
import { parseCidr } from './cidr.ts'
import {
  apiAddress,
  gatewayMac,
  metadataAddress,
  tapName,
  type Port,
  type VpcSpec,
} from './spec.ts'

export const bridge = 'br0'
/** The tap of slirp4netns, the way out. */
export const outside = 'out0'

/** What `ip -j addr show` tells of a device. */
export interface Link {
  readonly ifname: string
  readonly addr_info: readonly { readonly local?: string; readonly prefixlen?: number }[]
}

/** The kernel's settings inside the namespace; those not found are left. */
export const settings = [
  ['ipv6/conf/all/disable_ipv6', 1],
  ['ipv6/conf/default/disable_ipv6', 1],
  ['bridge/bridge-nf-call-iptables', 0],
  ['bridge/bridge-nf-call-ip6tables', 0],
  ['bridge/bridge-nf-call-arptables', 0],
  ['ipv4/conf/all/accept_source_route', 0],
  ['ipv4/conf/all/send_redirects', 0],
  ['ipv4/conf/default/send_redirects', 0],
  [`ipv4/conf/${bridge}/send_redirects`, 0],
  [`ipv4/conf/${bridge}/proxy_arp_pvlan`, 1],
  // Else an ARP answer for another waits up to 0.8 s, and with it each first connection.
  [`ipv4/neigh/${bridge}/proxy_delay`, 0],
  ['ipv4/neigh/default/proxy_delay', 0],
  ['ipv4/conf/all/rp_filter', 1],
  ['ipv4/ip_forward', 1],
] as const

export const outsideSettings = [
  [`ipv4/conf/${outside}/proxy_arp`, 1],
  [`ipv4/neigh/${outside}/proxy_delay`, 0],
] as const

/** What to do so that the devices are as the spec says, given those that there are. */
export function linkCommands(spec: VpcSpec, links: readonly Link[]): readonly string[] {
  const names = new Set(links.map((link) => link.ifname))
  const taps = new Set(spec.ports.map((port) => tapName(port.id)))
  const wanted = new Set(bridgeAddresses(spec))
  const have = new Set(
    links
      .filter((link) => link.ifname === bridge)
      .flatMap((link) => link.addr_info.map((at) => `${at.local ?? ''}/${at.prefixlen ?? ''}`)),
  )
  return [
    ...(names.has(bridge)
      ? []
      : [`link add ${bridge} type bridge forward_delay 0 stp_state 0 mcast_snooping 0`]),
    `link set ${bridge} address ${gatewayMac(spec.id)} up`,
    'link set lo up',
    ...[...have].filter((at) => !wanted.has(at)).map((at) => `addr del ${at} dev ${bridge}`),
    ...[...wanted].filter((at) => !have.has(at)).map((at) => `addr add ${at} dev ${bridge}`),
    ...[...names]
      .filter((name) => name.startsWith('tap') && !taps.has(name))
      .map((name) => `link del ${name}`),
    ...spec.ports.flatMap((port) => {
      const add = addPortCommands(port)
      return names.has(tapName(port.id)) ? add.slice(1) : add
    }),
  ]
}

/** The first of them makes the device; the others may be said again. */
export function addPortCommands(port: Port): readonly string[] {
  const tap = tapName(port.id)
  return [
    `tuntap add dev ${tap} mode tap`,
    `link set ${tap} master ${bridge} up`,
    `link set ${tap} type bridge_slave isolated on`,
  ]
}

export function removePortCommands(port: Port): readonly string[] {
  return [`link del ${tapName(port.id)}`]
}

function bridgeAddresses(spec: VpcSpec): readonly string[] {
  return [
    ...spec.subnets.map((subnet) => `${subnet.gateway}/${parseCidr(subnet.cidr).bits}`),
    `${metadataAddress}/32`,
    `${apiAddress}/32`,
    ...(spec.resolverAddress === undefined ? [] : [`${spec.resolverAddress}/32`]),
  ]
}
