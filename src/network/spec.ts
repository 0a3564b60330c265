/**
 * What the network of a VPC shall be, as its rows say: a port for each interface
 * whose instance has a machine or is about to, and rules whose peers are
 * addresses. A group that a rule names stands for its members' addresses.
 */
import assert from 'node:assert/strict'
import type { Database } from '../db/database.ts'
import { type Instance, type InstanceState, mayHaveMachine } from '../instances/instance.ts'
import { listByVpc } from '../instances/store.ts'
import type { Id } from '../lib/ids.ts'
import type { Port, Rule, VpcSpec } from '../vpc/spec.ts'
import { parseRange, textOfAddress } from './address.ts'
import { listRulesOfVpc } from './group-store.ts'
import { listInterfaces } from './interface-store.ts'
import type { NetworkInterface } from './network-interface.ts'
import type { SecurityGroupRule } from './security-group-rule.ts'
import { findVpcById, listSubnetsOfVpc } from './store.ts'
import { gatewayOf } from './subnet.ts'
import { internalDomain, privateDnsName } from './vpc.ts'

export const liveStates = (Object.keys(mayHaveMachine) as InstanceState[]).filter(
  (state) => mayHaveMachine[state],
)

/** EC2's name server is at the VPC's base plus two. */
const resolverOffset = 2

interface Plugged {
  readonly found: NetworkInterface
  readonly instance: Instance
}

export async function vpcSpec(
  db: Database,
  { vpcId, folder }: { readonly vpcId: Id<'vpc'>; readonly folder: string },
): Promise<VpcSpec> {
  const vpc = await findVpcById(db, vpcId)
  assert(vpc, `${vpcId}: no such VPC`)
  const subnets = await listSubnetsOfVpc(db, vpcId)
  const instances = new Map((await listByVpc(db, vpcId)).map((one) => [one.id, one]))
  const plugged = (await listInterfaces(db, { vpcId })).flatMap((found): Plugged[] => {
    const instance = found.attachment && instances.get(found.attachment.instanceId)
    return instance && mayHaveMachine[instance.state] ? [{ found, instance }] : []
  })
  const rules = await listRulesOfVpc(db, vpcId)
  const addressesOf = membersByGroup(plugged)
  return {
    id: vpcId,
    folder,
    subnets: subnets.map(({ cidr }) => ({ cidr, gateway: gatewayOf(cidr) })),
    resolverAddress: textOfAddress(parseRange(vpc.cidr).first + resolverOffset),
    domain: internalDomain(vpc.region),
    ports: plugged.map((one) => portOf(one, rules, addressesOf)),
  }
}

type Members = ReadonlyMap<string, readonly string[]>

function membersByGroup(plugged: readonly Plugged[]): Members {
  const members = new Map<string, string[]>()
  for (const { found } of plugged) {
    for (const groupId of found.groupIds) {
      const addresses = members.get(groupId)
      if (addresses) addresses.push(`${found.privateIp}/32`)
      else members.set(groupId, [`${found.privateIp}/32`])
    }
  }
  return members
}

function portOf(
  { found, instance }: Plugged,
  rules: readonly SecurityGroupRule[],
  members: Members,
): Port {
  const own = rules.filter(({ groupId }) => found.groupIds.includes(groupId))
  const { httpPutResponseHopLimit } = instance.metadataOptions
  return {
    id: found.id,
    mac: found.mac,
    address: found.privateIp,
    hostname: privateDnsName(found.region, found.privateIp),
    ...(found.publicIp !== undefined && { publicAddress: found.publicIp }),
    ingress: rulesOf(
      own.filter(({ isEgress }) => !isEgress),
      members,
    ),
    egress: rulesOf(
      own.filter(({ isEgress }) => isEgress),
      members,
    ),
    // That the service is disabled, it says itself, by EC2's 403.
    metadata: { enabled: true, hopLimit: httpPutResponseHopLimit },
  }
}

/** One rule for each protocol and range, with all peers; none where a group has no members. */
function rulesOf(rules: readonly SecurityGroupRule[], members: Members): readonly Rule[] {
  const byTraffic = Map.groupBy(rules, ({ protocol, fromPort, toPort }) =>
    [protocol, fromPort, toPort].join(' '),
  )
  return [...byTraffic.values()].flatMap((same): Rule[] => {
    const [first] = same
    const peers = same.flatMap(({ peer }) =>
      peer.kind === 'group' ? (members.get(peer.groupId) ?? []) : [peer.cidr],
    )
    const cidrs = [...new Set(peers)]
    if (!first || cidrs.length === 0) return []
    const { protocol, fromPort, toPort } = first
    return [{ protocol: protocolOf(protocol), fromPort, toPort, cidrs }]
  })
}

function protocolOf(protocol: string): Rule['protocol'] {
  switch (protocol) {
    case 'tcp':
    case 'udp':
    case 'icmp':
    case 'icmpv6':
      return protocol
    case '-1':
      return 'all'
    default:
      return Number(protocol)
  }
}
