/** The `security_groups` and `security_group_rules` tables. Nothing else reads or writes them. */
import assert from 'node:assert/strict'
import type { Selectable } from 'kysely'
import { toFlag } from '../db/columns.ts'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { Id } from '../lib/ids.ts'
import type { Owner } from '../lib/owner.ts'
import type { Peer, SecurityGroupRule } from './security-group-rule.ts'
import { groupExists, type SecurityGroup } from './security-group.ts'

/** Throws `InvalidGroup.Duplicate` where the VPC has a group of the name. */
export async function insertGroup(tx: Tx, group: SecurityGroup): Promise<void> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('security_groups')
    .values({
      id: group.id,
      account_id: group.accountId,
      region: group.region,
      vpc_id: group.vpcId,
      name: group.name,
      description: group.description,
    })
    .onConflict((conflict) => conflict.columns(['vpc_id', 'name']).doNothing())
    .executeTakeFirst()
  if (numInsertedOrUpdatedRows !== 1n) throw groupExists(group.name, group.vpcId)
}

export async function findGroup(
  db: Database,
  { accountId, region, id }: Owner & { readonly id: Id<'security-group'> },
): Promise<SecurityGroup | undefined> {
  const row = await db
    .selectFrom('security_groups')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst()
  return row?.account_id === accountId && row.region === region ? groupFromRow(row) : undefined
}

/** The groups of an account in a Region, in the order of ids. */
export async function listGroups(db: Database, owner: Owner): Promise<readonly SecurityGroup[]> {
  const rows = await db
    .selectFrom('security_groups')
    .selectAll()
    .where('account_id', '=', owner.accountId)
    .where('region', '=', owner.region)
    .orderBy('id')
    .execute()
  return rows.map(groupFromRow)
}

/** Removes a group and its rules. */
export async function deleteGroup(tx: Tx, id: Id<'security-group'>): Promise<void> {
  await tx.deleteFrom('security_group_rules').where('group_id', '=', id).execute()
  await tx.deleteFrom('security_groups').where('id', '=', id).execute()
}

export async function insertRules(tx: Tx, rules: readonly SecurityGroupRule[]): Promise<void> {
  if (rules.length === 0) return
  const rows = rules.map(({ peer, ...rule }) => ({
    id: rule.id,
    account_id: rule.accountId,
    region: rule.region,
    group_id: rule.groupId,
    is_egress: toFlag(rule.isEgress),
    protocol: rule.protocol,
    from_port: rule.fromPort,
    to_port: rule.toPort,
    cidr_ipv4: peer.kind === 'ipv4' ? peer.cidr : null,
    cidr_ipv6: peer.kind === 'ipv6' ? peer.cidr : null,
    peer_group_id: peer.kind === 'group' ? peer.groupId : null,
    description: rule.description ?? null,
  }))
  await tx.insertInto('security_group_rules').values(rows).execute()
}

/** The rules of the account's groups in a Region, in the order of ids. */
export async function listRules(db: Database, owner: Owner): Promise<readonly SecurityGroupRule[]> {
  const rows = await db
    .selectFrom('security_group_rules')
    .selectAll()
    .where('account_id', '=', owner.accountId)
    .where('region', '=', owner.region)
    .orderBy('id')
    .execute()
  return rows.map(ruleFromRow)
}

export async function listRulesOfGroup(
  db: Database,
  groupId: Id<'security-group'>,
): Promise<readonly SecurityGroupRule[]> {
  const rows = await db
    .selectFrom('security_group_rules')
    .selectAll()
    .where('group_id', '=', groupId)
    .orderBy('id')
    .execute()
  return rows.map(ruleFromRow)
}

/** The rules of all groups of a VPC. */
export async function listRulesOfVpc(
  db: Database,
  vpcId: Id<'vpc'>,
): Promise<readonly SecurityGroupRule[]> {
  const groups = db.selectFrom('security_groups').select('id').where('vpc_id', '=', vpcId)
  const rows = await db
    .selectFrom('security_group_rules')
    .selectAll()
    .where('group_id', 'in', groups)
    .orderBy('id')
    .execute()
  return rows.map(ruleFromRow)
}

export async function deleteRule(tx: Tx, id: Id<'security-group-rule'>): Promise<void> {
  await tx.deleteFrom('security_group_rules').where('id', '=', id).execute()
}

function groupFromRow(row: Selectable<Tables['security_groups']>): SecurityGroup {
  return {
    id: row.id,
    accountId: row.account_id,
    region: row.region,
    vpcId: row.vpc_id,
    name: row.name,
    description: row.description,
  }
}

function ruleFromRow(row: Selectable<Tables['security_group_rules']>): SecurityGroupRule {
  return {
    id: row.id,
    accountId: row.account_id,
    region: row.region,
    groupId: row.group_id,
    isEgress: row.is_egress === 1,
    protocol: row.protocol,
    fromPort: row.from_port,
    toPort: row.to_port,
    peer: peerFromRow(row),
    description: row.description ?? undefined,
  }
}

function peerFromRow(row: Selectable<Tables['security_group_rules']>): Peer {
  if (row.cidr_ipv4 !== null) return { kind: 'ipv4', cidr: row.cidr_ipv4 }
  if (row.cidr_ipv6 !== null) return { kind: 'ipv6', cidr: row.cidr_ipv6 }
  assert(row.peer_group_id !== null, `${row.id}: a rule without a peer`)
  return { kind: 'group', groupId: row.peer_group_id }
}
