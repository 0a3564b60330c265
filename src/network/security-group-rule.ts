/** A rule of a security group: traffic of one protocol and range of ports, from or to one peer. */
import { ApiError } from '../lib/errors.ts'
import { type Id, isId } from '../lib/ids.ts'

/** Who is at the other end. */
export type Peer =
  | { readonly kind: 'ipv4'; readonly cidr: string }
  | { readonly kind: 'ipv6'; readonly cidr: string }
  | { readonly kind: 'group'; readonly groupId: Id<'security-group'> }

/** What a rule lets through. Two rules of a group that let the same through are one. */
export interface Permission {
  readonly isEgress: boolean
  /** `tcp`, `udp`, `icmp`, `icmpv6`, a protocol's number, or `-1` for all of them. */
  readonly protocol: string
  /** A port, an ICMP type, or -1 for all. */
  readonly fromPort: number
  /** A port, an ICMP code, or -1 for all. */
  readonly toPort: number
  readonly peer: Peer
  readonly description: string | undefined
}

export interface SecurityGroupRule extends Permission {
  readonly id: Id<'security-group-rule'>
  readonly accountId: string
  readonly region: string
  readonly groupId: Id<'security-group'>
}

/** In one direction of a group. */
export const rulesMax = 60

/** Tells whether two let the same through; their descriptions may differ. */
export function isSamePermission(one: Permission, other: Permission): boolean {
  return (
    one.isEgress === other.isEgress &&
    one.protocol === other.protocol &&
    one.fromPort === other.fromPort &&
    one.toPort === other.toPort &&
    peerText(one.peer) === peerText(other.peer)
  )
}

export function peerText(peer: Peer): string {
  return peer.kind === 'group' ? peer.groupId : peer.cidr
}

/** As AWS's messages describe a rule. */
export function describePermission({ protocol, fromPort, toPort, peer }: Permission): string {
  const what = protocol === '-1' ? 'ALL' : protocol.toUpperCase()
  const ports = protocol === 'tcp' || protocol === 'udp'
  const range = ports ? `, from port: ${fromPort}, to port: ${toPort}` : ''
  const types = protocol.startsWith('icmp') ? `, type: ${fromPort}, code: ${toPort}` : ''
  return `peer: ${peerText(peer)}, ${what}${range}${types}, ALLOW`
}

export function parseRuleId(text: string): Id<'security-group-rule'> {
  if (isId('security-group-rule', text)) return text
  throw new ApiError(
    'InvalidSecurityGroupRuleId.Malformed',
    `Invalid id: "${text}" (expecting "sgr-...")`,
  )
}

export function ruleNotFound(id: string): ApiError {
  return new ApiError(
    'InvalidSecurityGroupRuleId.NotFound',
    `The security group rule ID '${id}' does not exist`,
  )
}
