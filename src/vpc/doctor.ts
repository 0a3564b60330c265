/** What this host lacks to carry networks, each with what to type to get it. */
import { closeSync, openSync } from 'node:fs'
import { createCommand, isPrivileged } from './namespace.ts'
import { findTool, run } from './run.ts'

export interface Lack {
  readonly what: string
  /** What to type, or to change. */
  readonly remedy: string
  /** Without it no network works at all; else only part of it is missing. */
  readonly isFatal: boolean
}

/** The programs needed, with the Debian packages that they are in. */
const tools = [
  { name: 'ip', package: 'iproute2', isFatal: true },
  { name: 'nft', package: 'nftables', isFatal: true },
  { name: 'dnsmasq', package: 'dnsmasq-base', isFatal: true },
  { name: 'nsenter', package: 'util-linux', isFatal: true },
  { name: 'unshare', package: 'util-linux', isFatal: true },
  { name: 'slirp4netns', package: 'slirp4netns', isFatal: false },
] as const

/** Looks for what networks need. An empty list means that they will work. */
export async function checkNetwork(): Promise<readonly Lack[]> {
  const lacks: Lack[] = tools
    .filter(({ name }) => findTool(name) === undefined)
    .map((tool) => ({
      what: `the program ${tool.name}`,
      remedy: `sudo apt-get install ${tool.package}`,
      isFatal: tool.isFatal,
    }))
  if (!canOpenTun()) {
    lacks.push({
      what: 'permission to open /dev/net/tun',
      remedy: 'sudo modprobe tun && sudo chmod 666 /dev/net/tun',
      isFatal: true,
    })
  }
  if (lacks.some((lack) => lack.isFatal)) return lacks
  try {
    await run([...createCommand(), 'ip', 'link', 'add', 'br0', 'type', 'bridge'])
  } catch {
    lacks.push(namespaceLack())
    return lacks
  }
  try {
    await run([...createCommand(), 'nft', '-f', '-'], probe)
  } catch {
    lacks.push({
      what: 'nftables with NAT and bridge rules in the kernel',
      remedy:
        'sudo modprobe -a nf_tables nft_chain_nat nft_masq nft_ct nft_reject_ipv4 br_netfilter',
      isFatal: true,
    })
  }
  return lacks
}

const probe = `
table bridge guard { chain c { type filter hook prerouting priority -300; ether type arp accept; }; }
table ip vpc {
  chain f { type filter hook forward priority filter; ct state established accept; }
  chain n { type nat hook postrouting priority srcnat; masquerade; }
  chain i { type filter hook input priority filter; ip protocol tcp reject with tcp reset; }
}
`

function canOpenTun(): boolean {
  try {
    closeSync(openSync('/dev/net/tun', 'r+'))
    return true
  } catch {
    return false
  }
}

function namespaceLack(): Lack {
  if (isPrivileged()) {
    return {
      what: 'bridges in network namespaces',
      remedy: 'sudo modprobe bridge',
      isFatal: true,
    }
  }
  return {
    what: 'user namespaces for ordinary users',
    remedy:
      'sudo sysctl -w user.max_user_namespaces=15000; where they exist, also ' +
      'sudo sysctl -w kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0',
    isFatal: true,
  }
}
