/** The `network_interfaces` and `network_interface_groups` tables. Nothing else reads or writes them. */
import type { Selectable } from 'kysely'
import { toFlag } from '../db/columns.ts'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import { inChunks } from '../lib/chunks.ts'
import type { Id } from '../lib/ids.ts'
import type { InterfaceAttachment, NetworkInterface } from './network-interface.ts'

export interface InterfaceQuery {
  readonly accountId?: string
  readonly region?: string
  readonly vpcId?: Id<'vpc'>
  readonly subnetId?: Id<'subnet'>
  readonly privateIp?: string
  readonly instanceIds?: readonly Id<'instance'>[]
}

export async function insertInterface(tx: Tx, made: NetworkInterface): Promise<void> {
  const { attachment } = made
  await tx
    .insertInto('network_interfaces')
    .values({
      id: made.id,
      account_id: made.accountId,
      region: made.region,
      vpc_id: made.vpcId,
      subnet_id: made.subnetId,
      availability_zone: made.availabilityZone,
      mac: made.mac,
      private_ip: made.privateIp,
      public_ip: made.publicIp ?? null,
      assigns_public_ip: toFlag(made.assignsPublicIp),
      description: made.description,
      instance_id: attachment?.instanceId ?? null,
      attachment_id: attachment?.id ?? null,
      device_index: attachment?.deviceIndex ?? 0,
      delete_on_termination: toFlag(attachment?.deleteOnTermination),
      attached_at_ms: attachment?.attachedAt.getTime() ?? null,
      created_at_ms: made.createdAt.getTime(),
    })
    .execute()
  await insertGroupsOf(tx, made.id, made.groupIds)
}

/** Puts an interface into these groups, and out of all others. */
export async function setInterfaceGroups(
  tx: Tx,
  id: Id<'network-interface'>,
  groupIds: readonly Id<'security-group'>[],
): Promise<void> {
  await tx.deleteFrom('network_interface_groups').where('interface_id', '=', id).execute()
  await insertGroupsOf(tx, id, groupIds)
}

/** Gives an interface a public address, or takes the one that it has. */
export async function setPublicIp(
  tx: Tx,
  id: Id<'network-interface'>,
  address: string | undefined,
): Promise<void> {
  const row = { public_ip: address ?? null }
  await tx.updateTable('network_interfaces').set(row).where('id', '=', id).execute()
}

/** The interfaces that a query tells, in the order of instance, device index and id. */
export async function listInterfaces(
  db: Database,
  query: InterfaceQuery,
): Promise<readonly NetworkInterface[]> {
  const { accountId, region, vpcId, subnetId, privateIp, instanceIds } = query
  let wanted = db.selectFrom('network_interfaces').selectAll()
  if (accountId !== undefined) wanted = wanted.where('account_id', '=', accountId)
  if (region !== undefined) wanted = wanted.where('region', '=', region)
  if (vpcId !== undefined) wanted = wanted.where('vpc_id', '=', vpcId)
  if (subnetId !== undefined) wanted = wanted.where('subnet_id', '=', subnetId)
  if (privateIp !== undefined) wanted = wanted.where('private_ip', '=', privateIp)
  const sorted = wanted.orderBy('instance_id').orderBy('device_index').orderBy('id')
  const rows = []
  if (instanceIds) {
    for (const ids of inChunks(instanceIds)) {
      rows.push(...(await sorted.where('instance_id', 'in', ids).execute()))
    }
  } else {
    rows.push(...(await sorted.execute()))
  }
  const groups = await groupsOf(
    db,
    rows.map(({ id }) => id),
  )
  return rows.map((row) => fromRow(row, groups.get(row.id) ?? []))
}

/** The interfaces that are in a group. */
export async function countInterfacesInGroup(
  db: Database,
  groupId: Id<'security-group'>,
): Promise<number> {
  const { count } = await db
    .selectFrom('network_interface_groups')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('group_id', '=', groupId)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** Every private address that is taken in a subnet. */
export async function listPrivateIps(
  db: Database,
  subnetId: Id<'subnet'>,
): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('network_interfaces')
    .select('private_ip')
    .where('subnet_id', '=', subnetId)
    .execute()
  return new Set(rows.map((row) => row.private_ip))
}

/** Every public address that is taken in the installation. */
export async function listPublicIps(db: Database): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('network_interfaces')
    .select('public_ip')
    .where('public_ip', 'is not', null)
    .execute()
  return new Set(rows.flatMap(({ public_ip: address }) => (address === null ? [] : [address])))
}

/** Removes an interface; its addresses are free again. */
export async function deleteInterface(tx: Tx, id: Id<'network-interface'>): Promise<void> {
  await tx.deleteFrom('network_interface_groups').where('interface_id', '=', id).execute()
  await tx.deleteFrom('network_interfaces').where('id', '=', id).execute()
}

async function insertGroupsOf(
  tx: Tx,
  id: Id<'network-interface'>,
  groupIds: readonly Id<'security-group'>[],
): Promise<void> {
  if (groupIds.length === 0) return
  const rows = groupIds.map((groupId, position) => ({
    interface_id: id,
    group_id: groupId,
    position,
  }))
  await tx.insertInto('network_interface_groups').values(rows).execute()
}

async function groupsOf(
  db: Database,
  interfaceIds: readonly Id<'network-interface'>[],
): Promise<ReadonlyMap<string, readonly Id<'security-group'>[]>> {
  const found = new Map<string, Id<'security-group'>[]>()
  for (const ids of inChunks(interfaceIds)) {
    const rows = await db
      .selectFrom('network_interface_groups')
      .selectAll()
      .where('interface_id', 'in', ids)
      .orderBy('position')
      .execute()
    for (const row of rows) {
      const groups = found.get(row.interface_id)
      if (groups) groups.push(row.group_id)
      else found.set(row.interface_id, [row.group_id])
    }
  }
  return found
}

function fromRow(
  row: Selectable<Tables['network_interfaces']>,
  groupIds: readonly Id<'security-group'>[],
): NetworkInterface {
  return {
    id: row.id,
    accountId: row.account_id,
    region: row.region,
    vpcId: row.vpc_id,
    subnetId: row.subnet_id,
    availabilityZone: row.availability_zone,
    mac: row.mac,
    privateIp: row.private_ip,
    assignsPublicIp: row.assigns_public_ip === 1,
    publicIp: row.public_ip ?? undefined,
    description: row.description,
    groupIds,
    attachment: attachmentFromRow(row),
    createdAt: new Date(row.created_at_ms),
  }
}

function attachmentFromRow(
  row: Selectable<Tables['network_interfaces']>,
): InterfaceAttachment | undefined {
  if (row.instance_id === null || row.attachment_id === null) return undefined
  return {
    id: row.attachment_id,
    instanceId: row.instance_id,
    deviceIndex: row.device_index,
    deleteOnTermination: row.delete_on_termination === 1,
    attachedAt: new Date(row.attached_at_ms ?? row.created_at_ms),
  }
}
