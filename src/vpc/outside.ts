/**
 * The way out of a VPC and into it, by slirp4netns: a process of the user's that
 * makes ordinary connections of the host out of the packets of the namespace. It
 * never leads to the host's loopback. Its API socket holds the forwards; what it
 * lists is what there is, so they need no record of ours.
 * https://github.com/rootless-containers/slirp4netns/blob/master/slirp4netns.1.md
 */
import { readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { messageOf } from '../lib/message-of.ts'
import { addressText, cidrText, overlaps, parseCidr } from './cidr.ts'
import { findDaemon, startDaemon, stopDaemon } from './daemon.ts'
import type { OutsideNet } from './filter.ts'
import { forwardKey, type Forward } from './forward.ts'
import { outside } from './links.ts'
import { findTool } from './run.ts'
import type { Subnet } from './spec.ts'

export const outsideDaemon = 'slirp4netns'

export interface Outside extends OutsideNet {
  /** Where slirp4netns answers DNS out of the host's own resolver. */
  readonly resolver: string
}

/** Ranges that a VPC seldom has; the first that no subnet overlaps becomes the outside's. */
const candidates = ['198.18.0.0/24', '100.127.255.0/24', '10.0.2.0/24', '192.168.252.0/24']

/** Chooses the outside's subnet. It depends on the VPC's subnets alone. */
export function chooseOutside(subnets: readonly Subnet[]): Outside {
  const taken = subnets.map((subnet) => parseCidr(subnet.cidr))
  const cidr = candidates
    .map(parseCidr)
    .find((candidate) => !taken.some((subnet) => overlaps(subnet, candidate)))
  if (cidr === undefined) throw new Error(`find a free range for the way out: ${candidates.join()}`)
  return {
    cidr: cidrText(cidr),
    hostAddress: addressText(cidr.base + 2),
    resolver: addressText(cidr.base + 3),
  }
}

/** Starts slirp4netns unless it runs for this subnet. */
export async function ensureOutside(folder: string, pid: number, net: Outside): Promise<void> {
  const place = { folder, name: outsideDaemon }
  const running = findDaemon(place)
  if (running !== undefined) {
    if (readFileSync(`/proc/${running}/cmdline`, 'utf8').includes(`\0--cidr=${net.cidr}\0`)) return
    await stopDaemon(place)
  }
  const program = findTool('slirp4netns')
  if (program === undefined) throw new Error('find the program: slirp4netns')
  rmSync(socketPath(folder), { force: true })
  const flags = ['--configure', '--mtu=1500', '--disable-host-loopback', '--enable-sandbox']
  await startDaemon(
    place,
    [
      program,
      ...flags,
      '--enable-seccomp',
      `--cidr=${net.cidr}`,
      `--api-socket=${socketPath(folder)}`,
      `${pid}`,
      outside,
    ],
    () =>
      listForwards(folder).then(
        () => true,
        () => false,
      ),
  )
}

export async function stopOutside(folder: string): Promise<void> {
  await stopDaemon({ folder, name: outsideDaemon })
}

/** Makes the forwards as planned; answers a warning for each that could not be made. */
export async function ensureForwards(
  folder: string,
  planned: readonly Forward[],
): Promise<{ readonly active: readonly Forward[]; readonly warnings: readonly string[] }> {
  const wanted = new Map(planned.map((forward) => [forwardKey(forward), forward]))
  const standing = new Set<string>()
  for (const entry of await listForwards(folder)) {
    const forward = wanted.get(entry.key)
    if (forward !== undefined && entry.target === targetOf(forward)) standing.add(entry.key)
    else await call(folder, { execute: 'remove_hostfwd', arguments: { id: entry.id } })
  }
  const warnings: string[] = []
  for (const [key, forward] of wanted) {
    if (standing.has(key)) continue
    try {
      await call(folder, { execute: 'add_hostfwd', arguments: requestOf(forward) })
      standing.add(key)
    } catch (error) {
      warnings.push(`forward ${key}: ${messageOf(error)}`)
    }
  }
  return { active: planned.filter((forward) => standing.has(forwardKey(forward))), warnings }
}

interface Entry {
  readonly id: number
  readonly key: string
  readonly target: string
}

async function listForwards(folder: string): Promise<readonly Entry[]> {
  const answer = (await call(folder, { execute: 'list_hostfwd' })) as {
    entries: {
      id: number
      proto: 'tcp' | 'udp'
      host_addr: string
      host_port: number
      guest_addr: string
      guest_port: number
    }[]
  }
  return answer.entries.map((entry) => ({
    id: entry.id,
    key: forwardKey({
      protocol: entry.proto,
      publicAddress: entry.host_addr,
      hostPort: entry.host_port,
    }),
    target: `${entry.guest_addr}:${entry.guest_port}`,
  }))
}

function targetOf(forward: Forward): string {
  return `${forward.address}:${forward.port}`
}

/** Slirp sends straight to the machine: `out0` answers ARP for it, and the filter sees it. */
function requestOf(forward: Forward): object {
  return {
    proto: forward.protocol,
    host_addr: forward.publicAddress,
    host_port: forward.hostPort,
    guest_addr: forward.address,
    guest_port: forward.port,
  }
}

/** One request a connection; the answer ends with it. */
async function call(folder: string, request: object): Promise<unknown> {
  const socket = connect(socketPath(folder))
  socket.setTimeout(5_000, () => socket.destroy(new Error('slirp4netns does not answer')))
  socket.end(JSON.stringify(request))
  const answer = JSON.parse(await text(socket)) as { return?: unknown; error?: { desc?: string } }
  if (answer.error !== undefined) throw new Error(answer.error.desc ?? 'refused')
  return answer.return ?? answer // A list comes bare in some versions.
}

function socketPath(folder: string): string {
  return join(folder, 'slirp.sock')
}
