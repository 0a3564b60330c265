/**
 * The nftables rules of a VPC. Two guards, one behind the other: on the bridge, a
 * port sends from its own hardware and IPv4 address or not at all; on the routed
 * path, a connection is let through by an egress rule of its sender and an ingress
 * rule of its receiver, and what belongs to an open connection passes. Everything
 * is text for `nft -f`, so that each change is one transaction.
 */
import { cidrText, contains, parseCidr, withoutNested } from './cidr.ts'
import { bridge, outside } from './links.ts'
import { apiAddress, metadataAddress, tapName, type Port, type Rule } from './spec.ts'

/** Where the outside is: its subnet, and the address that forwarded connections come from. */
export interface OutsideNet {
  readonly cidr: string
  readonly hostAddress: string
}

/** The whole rule set; replaces what there was, and keeps open connections. */
export function filterText(ports: readonly Port[], net: OutsideNet): string {
  return `
add table bridge guard
delete table bridge guard
add table ip vpc
delete table ip vpc
table bridge guard {
  set sources { type ifname . ether_addr . ipv4_addr; }
  set stations { type ifname . ether_addr; }
  chain prerouting {
    type filter hook prerouting priority -300; policy drop;
    ether type ip iifname . ether saddr . ip saddr @sources accept
    ether type ip ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 \
iifname . ether saddr @stations accept
    ether type arp iifname . ether saddr . arp saddr ip @sources \
iifname . arp saddr ether . arp saddr ip @sources accept
    ether type arp arp saddr ip 0.0.0.0 iifname . ether saddr @stations accept
  }
}
table ip vpc {
  map ingress { type ipv4_addr : verdict; }
  map egress { type ipv4_addr : verdict; }
  set metadata { type ipv4_addr; }
  map hops { type ipv4_addr : verdict; }
  chain input {
    type filter hook input priority filter; policy drop;
    iifname "${bridge}" ip daddr ${metadataAddress} tcp dport 80 goto metadata
    iifname "${bridge}" ip daddr ${apiAddress} tcp dport 80 goto api
    ip daddr 169.254.0.0/16 drop
    iifname "lo" accept
    ct state established,related accept
    iifname "${bridge}" udp sport 68 udp dport 67 accept
    iifname "${bridge}" meta l4proto { tcp, udp } th dport 53 accept
    iifname "${bridge}" icmp type echo-request accept
  }
  chain metadata {
    ip saddr != @metadata reject with tcp reset
${markText()}
    accept
  }
  chain api {
    ct state established,related accept
    ip saddr vmap @egress
    accept
  }
  chain output {
    type filter hook output priority mangle; policy accept;
    ip saddr ${metadataAddress} tcp sport 80 tcp flags & syn != syn ct mark 0 \
ip daddr vmap @hops
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    iifname "${bridge}" ip daddr { 0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/3 } drop
    ct state established,related accept
    ct state invalid drop
    iifname "${bridge}" ip daddr ${net.cidr} drop
    iifname "${bridge}" ip saddr vmap @egress
    oifname "${outside}" accept
    ip daddr vmap @ingress
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "${outside}" masquerade
  }
}
${ports.map((port) => addPortText(port, net)).join('')}`
}

/** Lets a port speak, by its rules. Said again with other rules, the new ones hold. */
export function addPortText(port: Port, net: OutsideNet): string {
  const tap = tapName(port.id)
  const { hopLimit } = port.metadata
  const ingress = port.ingress.map((rule) => openToForwards(rule, net))
  return `
add chain ip vpc in_${tap}
add chain ip vpc out_${tap}
flush chain ip vpc in_${tap}
flush chain ip vpc out_${tap}
${ingress
  .flatMap((rule) => ruleTexts(rule, 'saddr'))
  .map((text) => `add rule ip vpc in_${tap} ${text} accept\n`)
  .join('')}\
${port.egress
  .flatMap((rule) => ruleTexts(rule, 'daddr'))
  .map((text) => `add rule ip vpc out_${tap} ${text} return\n`)
  .join('')}\
add rule ip vpc out_${tap} drop
add chain ip vpc hops_${hopLimit}
flush chain ip vpc hops_${hopLimit}
add rule ip vpc hops_${hopLimit} ip ttl set ${hopLimit}
${elementTexts(port)
  .map((text) => `add element ${text}\n`)
  .join('')}`
}

/** Forgets the addresses of a port; it can neither send nor receive anything new. */
export function silencePortText(port: Port): string {
  return elementTexts(port)
    .map((text) => `delete element ${text}\n`)
    .join('')
}

export function removePortText(port: Port): string {
  const tap = tapName(port.id)
  return `${silencePortText(port)}
flush chain ip vpc in_${tap}
flush chain ip vpc out_${tap}
delete chain ip vpc in_${tap}
delete chain ip vpc out_${tap}
`
}

function elementTexts(port: Port): readonly string[] {
  const tap = tapName(port.id)
  return [
    `bridge guard sources { "${tap}" . ${port.mac} . ${port.address} }`,
    `bridge guard stations { "${tap}" . ${port.mac} }`,
    `ip vpc egress { ${port.address} : jump out_${tap} }`,
    `ip vpc ingress { ${port.address} : goto in_${tap} }`,
    ...(port.metadata.enabled ? [`ip vpc metadata { ${port.address} }`] : []),
    `ip vpc hops { ${port.address} : goto hops_${port.metadata.hopLimit} }`,
  ]
}

/** A rule as matches; none where it can match nothing, such as a rule of IPv6. */
function ruleTexts(rule: Rule, side: 'saddr' | 'daddr'): readonly string[] {
  const protocol = protocolText(rule)
  const cidrs = withoutNested(rule.cidrs)
  if (cidrs.length === 0 || protocol === undefined) return []
  const peers = cidrs[0]?.bits === 0 ? '' : `ip ${side} { ${cidrs.map(cidrText).join(', ')} }`
  return [`${peers} ${protocol}`.trim() || 'ip version 4']
}

function protocolText(rule: Rule): string | undefined {
  const from = rule.fromPort ?? -1
  const to = rule.toPort ?? -1
  switch (rule.protocol) {
    case 'all':
    case -1:
      return ''
    case 'icmpv6':
    case 58:
      return undefined
    case 'tcp':
    case 6:
      return from < 0 ? 'ip protocol tcp' : `tcp dport ${from}-${Math.max(from, to)}`
    case 'udp':
    case 17:
      return from < 0 ? 'ip protocol udp' : `udp dport ${from}-${Math.max(from, to)}`
    case 'icmp':
    case 1:
      if (from < 0) return 'ip protocol icmp'
      return to < 0 ? `icmp type ${from}` : `icmp type ${from} icmp code ${to}`
    default:
      return `ip protocol ${rule.protocol}`
  }
}

/** Forwarded connections come from the outside's own address and stand for the host's loopback. */
function openToForwards(rule: Rule, net: OutsideNet): Rule {
  return isOpenToLoopback(rule) ? { ...rule, cidrs: [...rule.cidrs, net.hostAddress] } : rule
}

export function isOpenToLoopback(rule: Rule): boolean {
  const loopback = parseCidr('127.0.0.1/32')
  return withoutNested(rule.cidrs).some((cidr) => contains(cidr, loopback))
}

/**
 * Marks a connection to the metadata service while its last bytes from the guest began
 * with `GET `; answers on any other connection, and so to each `PUT`, get the hop limit.
 * A TCP header is 5 to 15 words long, and older kernels cannot look behind it themselves.
 */
function markText(): string {
  return Array.from({ length: 11 }, (_, at) => at + 5)
    .flatMap((words) => [
      `    tcp doff ${words} @th,${words * 32},8 != 0x47 ct mark set 0`,
      `    tcp doff ${words} @th,${words * 32},32 0x47455420 ct mark set 1`,
    ])
    .join('\n')
}
