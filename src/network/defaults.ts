/**
 * The network that each account finds in each Region: a VPC, a subnet in every
 * zone, and a group whose members reach each other.
 */
import type { Tx } from '../db/database.ts'
import type { Id, Kind } from '../lib/ids.ts'
import { textOfAddress, parseRange } from './address.ts'
import { insertGroup, insertRules } from './group-store.ts'
import type { Permission, SecurityGroupRule } from './security-group-rule.ts'
import { defaultGroupName, type SecurityGroup } from './security-group.ts'
import { findDefaultVpc, insertSubnet, insertVpc } from './store.ts'
import { defaultVpcCidr, type Vpc } from './vpc.ts'
import { zonesOf } from './zone.ts'

interface Wanted {
  readonly accountId: string
  readonly region: string
  readonly newId: <K extends Kind>(kind: K) => Id<K>
  readonly now: Date
}

const subnetBits = 20

/** Answers the default VPC of the account in the Region, and makes it where there is none. */
export async function ensureDefaultNetwork(
  tx: Tx,
  { accountId, region, newId, now }: Wanted,
): Promise<Vpc> {
  const found = await findDefaultVpc(tx, { accountId, region })
  if (found) return found
  const owner = { accountId, region }
  const id = newId('vpc')
  const vpc: Vpc = { ...owner, id, cidr: defaultVpcCidr, isDefault: true, createdAt: now }
  await insertVpc(tx, vpc)
  const { first } = parseRange(vpc.cidr)
  for (const [index, zone] of zonesOf(region).entries()) {
    await insertSubnet(tx, {
      ...owner,
      id: newId('subnet'),
      vpcId: vpc.id,
      availabilityZone: zone.name,
      cidr: `${textOfAddress(first + index * 2 ** (32 - subnetBits))}/${subnetBits}`,
      isDefault: true,
      mapsPublicIp: true,
    })
  }
  const group: SecurityGroup = {
    ...owner,
    id: newId('security-group'),
    vpcId: vpc.id,
    name: defaultGroupName,
    description: 'default VPC security group',
  }
  await insertGroup(tx, group)
  const fromItself: Permission = {
    ...everything,
    isEgress: false,
    peer: { kind: 'group', groupId: group.id },
  }
  await insertRules(tx, [ruleOf(group, fromItself, newId), ruleOf(group, allEgress, newId)])
  return vpc
}

const everything = { protocol: '-1', fromPort: -1, toPort: -1, description: undefined } as const

/** What every new group of a VPC lets out. */
export const allEgress: Permission = {
  ...everything,
  isEgress: true,
  peer: { kind: 'ipv4', cidr: '0.0.0.0/0' },
}

/** Makes of a permission a rule of the group. */
export function ruleOf(
  group: SecurityGroup,
  permission: Permission,
  newId: Wanted['newId'],
): SecurityGroupRule {
  const { accountId, region, id } = group
  return { ...permission, id: newId('security-group-rule'), accountId, region, groupId: id }
}
