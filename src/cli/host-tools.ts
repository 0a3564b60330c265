/** The programs of the host that the service runs, and the Debian packages they are in. */
import { findTool } from '../vpc/run.ts'

export const hostTools = [
  { name: 'qemu-system-x86_64', package: 'qemu-system-x86' },
  { name: 'qemu-img', package: 'qemu-utils' },
  { name: 'ip', package: 'iproute2' },
  { name: 'nft', package: 'nftables' },
  { name: 'dnsmasq', package: 'dnsmasq-base' },
  { name: 'nsenter', package: 'util-linux' },
  { name: 'unshare', package: 'util-linux' },
  { name: 'setpriv', package: 'util-linux' },
  { name: 'prlimit', package: 'util-linux' },
  { name: 'flock', package: 'util-linux' },
  { name: 'findmnt', package: 'util-linux' },
  { name: 'mount', package: 'mount' },
] as const

/** The packages of the programs that are not there, each once. */
export function missingPackages(): readonly string[] {
  const missing = hostTools.filter(({ name }) => findTool(name) === undefined)
  return [...new Set(missing.map((tool) => tool.package))]
}
