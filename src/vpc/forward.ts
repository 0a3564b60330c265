/**
 * Which ports of the host lead to which machine. A port that an ingress rule opens
 * to the whole world, or to 127.0.0.1, is forwarded from the machine's public
 * address, a loopback address of the host.
 */
import { isOpenToLoopback } from './filter.ts'
import type { Port, Rule } from './spec.ts'

export interface Forward {
  readonly protocol: 'tcp' | 'udp'
  readonly publicAddress: string
  /** The port as the guest knows it. */
  readonly port: number
  /** The port to connect to at the public address: the same, or 20000 more. */
  readonly hostPort: number
  /** The machine's private address. */
  readonly address: string
}

/** A rule for more ports than this opens only the well-known ones among them on the host. */
const rangeMax = 64
/** The TCP ports that are forwarded out of a wide range. Of a wide UDP range none is. */
export const wellKnownPorts: readonly number[] = [
  22, 80, 443, 3000, 3306, 3389, 5000, 5432, 5900, 5985, 5986, 6379, 8000, 8080, 8443, 9090,
]
/** Added to ports that an ordinary user may not listen on. */
const unprivilegedOffset = 20_000

/** The forwards that the ports ask for; ports below the limit come out at 20000 more. */
export function plannedForwards(
  ports: readonly Port[],
  unprivilegedPortMin: number,
): readonly Forward[] {
  const planned = new Map<string, Forward>()
  for (const { publicAddress, address, ingress } of ports) {
    if (publicAddress === undefined) continue
    for (const rule of ingress.filter(isOpenToLoopback)) {
      for (const { protocol, port } of openedPorts(rule)) {
        const hostPort = port < unprivilegedPortMin ? port + unprivilegedOffset : port
        const forward = { protocol, publicAddress, port, hostPort, address }
        planned.set(forwardKey(forward), planned.get(forwardKey(forward)) ?? forward)
      }
    }
  }
  return [...planned.values()]
}

/** What cannot be twice on a host. */
export function forwardKey(
  forward: Pick<Forward, 'protocol' | 'publicAddress' | 'hostPort'>,
): string {
  return `${forward.protocol} ${forward.publicAddress}:${forward.hostPort}`
}

function openedPorts(rule: Rule): readonly { protocol: 'tcp' | 'udp'; port: number }[] {
  const protocols = protocolsOf(rule.protocol)
  const all = protocols.length === 2 || (rule.fromPort ?? -1) < 0
  const from = all ? 1 : (rule.fromPort ?? 1)
  const to = all ? 65_535 : Math.max(from, rule.toPort ?? from)
  if (to - from < rangeMax) {
    const ports = Array.from({ length: to - from + 1 }, (_, at) => from + at)
    return protocols.flatMap((protocol) =>
      ports.filter((port) => port > 0).map((port) => ({ protocol, port })),
    )
  }
  if (!protocols.includes('tcp')) return []
  return wellKnownPorts
    .filter((port) => port >= from && port <= to)
    .map((port) => ({ protocol: 'tcp', port }))
}

function protocolsOf(protocol: Rule['protocol']): readonly ('tcp' | 'udp')[] {
  if (protocol === 'all' || protocol === -1) return ['tcp', 'udp']
  if (protocol === 'tcp' || protocol === 6) return ['tcp']
  if (protocol === 'udp' || protocol === 17) return ['udp']
  return []
}
