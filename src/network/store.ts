/** The `vpcs` and `subnets` tables. Nothing else reads or writes them. */
import type { Selectable } from 'kysely'
import { toFlag } from '../db/columns.ts'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { Id } from '../lib/ids.ts'
import type { Owner } from '../lib/owner.ts'
import type { Subnet } from './subnet.ts'
import type { Vpc } from './vpc.ts'

export async function insertVpc(tx: Tx, vpc: Vpc): Promise<void> {
  const row = {
    id: vpc.id,
    account_id: vpc.accountId,
    region: vpc.region,
    cidr: vpc.cidr,
    is_default: toFlag(vpc.isDefault),
    created_at_ms: vpc.createdAt.getTime(),
  }
  await tx.insertInto('vpcs').values(row).execute()
}

export async function findVpcById(db: Database, id: Id<'vpc'>): Promise<Vpc | undefined> {
  const row = await db.selectFrom('vpcs').selectAll().where('id', '=', id).executeTakeFirst()
  return row && vpcFromRow(row)
}

export async function findVpc(
  db: Database,
  { accountId, region, id }: Owner & { readonly id: Id<'vpc'> },
): Promise<Vpc | undefined> {
  const vpc = await findVpcById(db, id)
  return vpc?.accountId === accountId && vpc.region === region ? vpc : undefined
}

export async function findDefaultVpc(db: Database, owner: Owner): Promise<Vpc | undefined> {
  const vpcs = await listVpcs(db, owner)
  return vpcs.find(({ isDefault }) => isDefault)
}

/** The VPCs of an account in a Region, in the order of ids. */
export async function listVpcs(db: Database, owner: Owner): Promise<readonly Vpc[]> {
  const rows = await db
    .selectFrom('vpcs')
    .selectAll()
    .where('account_id', '=', owner.accountId)
    .where('region', '=', owner.region)
    .orderBy('id')
    .execute()
  return rows.map(vpcFromRow)
}

/** Those of all accounts. */
export async function listAllVpcIds(db: Database): Promise<readonly Id<'vpc'>[]> {
  const rows = await db.selectFrom('vpcs').select('id').orderBy('id').execute()
  return rows.map(({ id }) => id)
}

export async function insertSubnet(tx: Tx, subnet: Subnet): Promise<void> {
  const row = {
    id: subnet.id,
    account_id: subnet.accountId,
    region: subnet.region,
    vpc_id: subnet.vpcId,
    availability_zone: subnet.availabilityZone,
    cidr: subnet.cidr,
    is_default: toFlag(subnet.isDefault),
    maps_public_ip: toFlag(subnet.mapsPublicIp),
  }
  await tx.insertInto('subnets').values(row).execute()
}

export async function findSubnet(
  db: Database,
  { accountId, region, id }: Owner & { readonly id: Id<'subnet'> },
): Promise<Subnet | undefined> {
  const row = await db.selectFrom('subnets').selectAll().where('id', '=', id).executeTakeFirst()
  return row?.account_id === accountId && row.region === region ? subnetFromRow(row) : undefined
}

/** The subnets of an account in a Region, in the order of ids. */
export async function listSubnets(db: Database, owner: Owner): Promise<readonly Subnet[]> {
  const rows = await db
    .selectFrom('subnets')
    .selectAll()
    .where('account_id', '=', owner.accountId)
    .where('region', '=', owner.region)
    .orderBy('id')
    .execute()
  return rows.map(subnetFromRow)
}

/** The subnets of one VPC, in the order of their addresses' text. */
export async function listSubnetsOfVpc(db: Database, vpcId: Id<'vpc'>): Promise<readonly Subnet[]> {
  const rows = await db
    .selectFrom('subnets')
    .selectAll()
    .where('vpc_id', '=', vpcId)
    .orderBy('cidr')
    .execute()
  return rows.map(subnetFromRow)
}

function vpcFromRow(row: Selectable<Tables['vpcs']>): Vpc {
  return {
    id: row.id,
    accountId: row.account_id,
    region: row.region,
    cidr: row.cidr,
    isDefault: row.is_default === 1,
    createdAt: new Date(row.created_at_ms),
  }
}

function subnetFromRow(row: Selectable<Tables['subnets']>): Subnet {
  return {
    id: row.id,
    accountId: row.account_id,
    region: row.region,
    vpcId: row.vpc_id,
    availabilityZone: row.availability_zone,
    cidr: row.cidr,
    isDefault: row.is_default === 1,
    mapsPublicIp: row.maps_public_ip === 1,
  }
}
