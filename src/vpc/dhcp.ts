/**
 * DHCP and DNS of a VPC, by dnsmasq. An address is given to the hardware address
 * that a port has, and to nobody else. New ports are written to files that dnsmasq
 * reads again at a signal, so a launch starts no process.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { addressText, netmask, parseCidr } from './cidr.ts'
import { findDaemon, signalDaemon, startDaemon, stopDaemon } from './daemon.ts'
import { bridge } from './links.ts'
import { findTool } from './run.ts'
import type { Port, VpcSpec } from './spec.ts'

export const dhcpDaemon = 'dnsmasq'

/** Brings dnsmasq to what the spec says. Starts it anew only when it must. */
export async function ensureDhcp(
  spec: VpcSpec,
  enter: readonly string[],
  upstream: string,
): Promise<void> {
  const place = { folder: spec.folder, name: dhcpDaemon }
  const leases = join(spec.folder, 'dhcp.leases')
  const configFile = join(spec.folder, 'dnsmasq.conf')
  const config = configText(spec, upstream, leases)
  const changed = [
    replaceFile(join(spec.folder, 'dhcp.hosts'), spec.ports.map(dhcpHost).join('')),
    replaceFile(join(spec.folder, 'dns.hosts'), spec.ports.map(dnsHost).join('')),
  ].includes(true)
  const reconfigured = replaceFile(configFile, config)
  if (findDaemon(place) !== undefined && !reconfigured && !hasTakenAddress(leases, spec.ports)) {
    if (changed) signalDaemon(place, 'SIGHUP')
    return
  }
  await stopDaemon(place)
  rmSync(leases, { force: true }) // Each is promised by a port anyway.
  await startDaemon(
    place,
    [...enter, findTool('dnsmasq') ?? 'dnsmasq', `--conf-file=${configFile}`],
    (pid) => readFileSync(`/proc/${pid}/net/udp`, 'utf8').includes(':0043 '),
  )
}

export async function stopDhcp(folder: string): Promise<void> {
  await stopDaemon({ folder, name: dhcpDaemon })
}

function configText(spec: VpcSpec, upstream: string, leases: string): string {
  return [
    'keep-in-foreground',
    'pid-file=',
    'user=root',
    'group=',
    'log-facility=-',
    'quiet-dhcp',
    `interface=${bridge}`,
    'except-interface=lo',
    'bind-interfaces',
    'no-resolv',
    'no-hosts',
    'bogus-priv',
    `server=${upstream}`,
    ...(spec.domain === undefined
      ? []
      : [
          `local=/${spec.domain}/`,
          `domain=${spec.domain}`,
          `dhcp-option=option:domain-name,${spec.domain}`,
        ]),
    `addn-hosts=${join(spec.folder, 'dns.hosts')}`,
    `dhcp-hostsfile=${join(spec.folder, 'dhcp.hosts')}`,
    `dhcp-leasefile=${leases}`,
    'dhcp-authoritative',
    'dhcp-lease-max=65536',
    'no-ping',
    'dhcp-option=option:mtu,1500',
    ...spec.subnets.flatMap((subnet, at) => {
      const cidr = parseCidr(subnet.cidr)
      return [
        `dhcp-range=set:subnet${at},${addressText(cidr.base)},static,${netmask(cidr)},infinite`,
        `dhcp-option=tag:subnet${at},option:router,${subnet.gateway}`,
        `dhcp-option=tag:subnet${at},option:dns-server,${spec.resolverAddress ?? subnet.gateway}`,
      ]
    }),
    '',
  ].join('\n')
}

function dhcpHost(port: Port): string {
  return `${port.mac},${port.address},${port.hostname.split('.')[0] ?? ''},infinite\n`
}

function dnsHost(port: Port): string {
  return `${port.address} ${port.hostname}\n`
}

/** dnsmasq keeps an address for whom it gave it to, even when it now is another port's. */
function hasTakenAddress(leases: string, ports: readonly Port[]): boolean {
  const owners = new Map(ports.map((port) => [port.address, port.mac.toLowerCase()]))
  return (readIfThere(leases) ?? '')
    .split('\n')
    .map((line) => line.split(' '))
    .some(([, mac, address]) => {
      const owner = owners.get(address ?? '')
      return owner !== undefined && owner !== mac
    })
}

/** Whether the text is new there. A reader sees the old or the new file, whole. */
function replaceFile(path: string, text: string): boolean {
  if (readIfThere(path) === text) return false
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
  return true
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
