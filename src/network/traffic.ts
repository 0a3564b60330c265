/** Protocols and ports of rules: reads what callers write in several ways into the one form. */
import { ApiError } from '../lib/errors.ts'
import type { Permission } from './security-group-rule.ts'

interface Written {
  readonly IpProtocol?: string | undefined
  readonly FromPort?: number | undefined
  readonly ToPort?: number | undefined
}

export type Traffic = Pick<Permission, 'protocol' | 'fromPort' | 'toPort'>

/** The protocols that have names. */
const names: Readonly<Record<string, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmpv6' }
const portMax = 65_535
const icmpMax = 255
const descriptionLengthMax = 255

export function readTraffic({ IpProtocol = '', FromPort, ToPort }: Written): Traffic {
  const protocol = readProtocol(IpProtocol)
  switch (protocol) {
    case 'tcp':
    case 'udp':
      return { protocol, ...readPorts(FromPort, ToPort) }
    case 'icmp':
    case 'icmpv6':
      return { protocol, ...readIcmp(FromPort, ToPort) }
    default:
      // Of all traffic, and of protocols without ports, whatever is said of ports means nothing.
      return { protocol, fromPort: -1, toPort: -1 }
  }
}

function readProtocol(text: string): string {
  const lower = text.toLowerCase()
  if (lower === '-1' || lower === 'all') return '-1'
  if (Object.values(names).includes(lower)) return lower
  const number = /^\d{1,3}$/.test(lower) ? Number(lower) : NaN
  if (number <= 255) return names[number] ?? String(number)
  throw new ApiError(
    'InvalidParameterValue',
    `Invalid value '${text}' for IP protocol. Unknown protocol.`,
  )
}

function readPorts(from: number | undefined, to: number | undefined) {
  if (from === undefined || to === undefined) {
    throw new ApiError(
      'InvalidParameterValue',
      "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.",
    )
  }
  for (const port of [from, to]) {
    if (port >= 0 && port <= portMax) continue
    throw new ApiError('InvalidParameterValue', `TCP/UDP port (${port}) out of range`)
  }
  if (from > to) {
    throw new ApiError('InvalidParameterValue', `Invalid TCP/UDP port range (${from}:${to})`)
  }
  return { fromPort: from, toPort: to }
}

/** A type, and a code where there is a type. */
function readIcmp(type = -1, code = -1) {
  if (!(type >= -1 && type <= icmpMax)) {
    throw new ApiError('InvalidParameterValue', `ICMP type (${type}) out of range`)
  }
  if (!(code >= -1 && code <= icmpMax)) {
    throw new ApiError('InvalidParameterValue', `ICMP code (${code}) out of range`)
  }
  if (type === -1 && code !== -1) {
    throw new ApiError('InvalidParameterValue', 'ICMP code can only be specified with an ICMP type')
  }
  return { fromPort: type, toPort: code }
}

export function checkRuleDescription(text: string): void {
  const isAllowed = /^[a-zA-Z0-9 ._\-:/()#,@[\]+=&;{}!$*]*$/.test(text)
  if (isAllowed && text.length <= descriptionLengthMax) return
  throw new ApiError(
    'InvalidParameterValue',
    'Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*',
  )
}
