/**
 * The `instances` table. Nothing else reads or writes it. Every change of state
 * is a compare-and-set and tells whether it took place.
 */
import type { Insertable, Selectable } from 'kysely'
import { toFlag } from '../db/columns.ts'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import { inChunks } from '../lib/chunks.ts'
import type { Id } from '../lib/ids.ts'
import type { Owner } from '../lib/owner.ts'
import type { Cause } from './cause.ts'
import type { Instance, InstanceState, ShutdownBehavior } from './instance.ts'
import type { MetadataOptions } from './metadata-options.ts'

type Row = Selectable<Tables['instances']>

export async function insertInstance(tx: Tx, instance: Instance): Promise<void> {
  await tx.insertInto('instances').values(toRow(instance)).execute()
}

/** An instance of any account: for reconcilers. */
export async function findInstance(
  db: Database,
  id: Id<'instance'>,
): Promise<Instance | undefined> {
  const row = await db.selectFrom('instances').selectAll().where('id', '=', id).executeTakeFirst()
  return row && fromRow(row)
}

/** An instance that the account has in the Region. */
export async function findOwnInstance(
  db: Database,
  query: { readonly accountId: string; readonly region: string; readonly id: string },
): Promise<Instance | undefined> {
  const [found] = await listInstances(db, { ...query, ids: [query.id] })
  return found
}

/** What an account has in a Region, in the order of launching. */
export async function listInstances(
  db: Database,
  query: Owner & {
    readonly ids?: readonly string[]
    readonly states?: readonly InstanceState[]
  },
): Promise<Instance[]> {
  const { accountId, region, states } = query
  const rows: Row[] = []
  for (const ids of query.ids ? inChunks(query.ids) : [undefined]) {
    const some = await db
      .selectFrom('instances')
      .selectAll()
      .where('account_id', '=', accountId)
      .where('region', '=', region)
      .$if(ids !== undefined, (select) => select.where('id', 'in', (ids ?? []) as Id<'instance'>[]))
      .$if(states !== undefined, (select) => select.where('state', 'in', states ?? []))
      .execute()
    rows.push(...some)
  }
  return rows.map(fromRow).sort(byId)
}

/** All instances, of all accounts, in some states. */
export async function listByState(
  db: Database,
  states: readonly InstanceState[],
): Promise<Instance[]> {
  const rows = await db
    .selectFrom('instances')
    .selectAll()
    .where('state', 'in', states)
    .orderBy('id')
    .execute()
  return rows.map(fromRow)
}

export async function listByVpc(db: Database, vpcId: Id<'vpc'>): Promise<Instance[]> {
  const rows = await db
    .selectFrom('instances')
    .selectAll()
    .where('vpc_id', '=', vpcId)
    .orderBy('id')
    .execute()
  return rows.map(fromRow)
}

/** Instances that are owed something by their own row: a promise of a state, or a reboot. */
export async function listDueInstances(db: Database): Promise<Id<'instance'>[]> {
  const rows = await db
    .selectFrom('instances')
    .select('id')
    .where((where) =>
      where.or([
        where('state', 'in', ['pending', 'stopping', 'shutting-down']),
        where.and([
          where('state', '=', 'running'),
          where('reboots_wanted', '!=', where.ref('reboots_done')),
        ]),
      ]),
    )
    .orderBy('id')
    .execute()
  return rows.map((row) => row.id)
}

/** Terminated instances that have been shown for long enough. */
export async function listExpired(db: Database, before: Date): Promise<Instance[]> {
  const rows = await db
    .selectFrom('instances')
    .selectAll()
    .where('state', '=', 'terminated')
    .where('state_since_ms', '<', before.getTime())
    .orderBy('id')
    .execute()
  return rows.map(fromRow)
}

/** What an account has of some images in a Region, in the order of ids. */
export async function listInstancesOfImages(
  db: Database,
  query: Owner & {
    readonly imageIds: readonly Id<'image'>[]
    readonly states?: readonly InstanceState[] | undefined
  },
): Promise<Instance[]> {
  const { accountId, region, imageIds, states } = query
  if (imageIds.length === 0) return []
  const rows = await db
    .selectFrom('instances')
    .selectAll()
    .where('image_id', 'in', imageIds)
    .where('account_id', '=', accountId)
    .where('region', '=', region)
    .$if(states !== undefined, (select) => select.where('state', 'in', states ?? []))
    .execute()
  return rows.map(fromRow).sort(byId)
}

/** How many each account has of an image, but for those in some states. */
export async function countInstancesOfImage(
  db: Database,
  imageId: Id<'image'>,
  without: readonly InstanceState[],
): Promise<readonly { readonly accountId: string; readonly count: number }[]> {
  const rows = await db
    .selectFrom('instances')
    .select((select) => ['account_id', select.fn.countAll<number>().as('count')])
    .where('image_id', '=', imageId)
    .where('state', 'not in', without)
    .groupBy('account_id')
    .orderBy('account_id')
    .execute()
  return rows.map((row) => ({ accountId: row.account_id, count: Number(row.count) }))
}

/** The types of the instances that hold memory of the host, of all accounts. */
export async function listTypesInUse(
  db: Database,
  states: readonly InstanceState[],
): Promise<string[]> {
  const rows = await db
    .selectFrom('instances')
    .select('instance_type')
    .where('state', 'in', states)
    .execute()
  return rows.map((row) => row.instance_type)
}

export interface StateChange {
  readonly id: Id<'instance'>
  readonly from: InstanceState | readonly InstanceState[]
  readonly to: InstanceState
  readonly at: Date
  /** Left as it is where nothing is said. */
  readonly cause?: Cause
  readonly isStopForced?: boolean
  readonly launchedAt?: Date
}

/**
 * Moves an instance to another state if it is still in one of `from`. Reboots
 * that were wanted before are over with that.
 */
export async function changeInstanceState(tx: Tx, change: StateChange): Promise<boolean> {
  const { cause, isStopForced, launchedAt } = change
  const { numUpdatedRows } = await tx
    .updateTable('instances')
    .set((row) => ({
      state: change.to,
      state_since_ms: change.at.getTime(),
      reboots_done: row.ref('reboots_wanted'),
      ...(cause && {
        state_reason_code: cause.reason?.code ?? null,
        state_reason_message: cause.reason?.message ?? null,
        state_transition_reason: cause.transition,
      }),
      ...(isStopForced !== undefined && { is_stop_forced: toFlag(isStopForced) }),
      ...(launchedAt && { launched_at_ms: launchedAt.getTime() }),
    }))
    .where('id', '=', change.id)
    .where('state', 'in', [change.from].flat())
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Turns a stop that is under way into one that cuts the power. */
export async function forceStop(tx: Tx, id: Id<'instance'>): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('instances')
    .set({ is_stop_forced: 1 })
    .where('id', '=', id)
    .where('state', '=', 'stopping')
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Asks for one more reboot of a running instance. */
export async function bumpReboots(tx: Tx, id: Id<'instance'>): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('instances')
    .set((row) => ({ reboots_wanted: row('reboots_wanted', '+', 1) }))
    .where('id', '=', id)
    .where('state', '=', 'running')
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Notes that the reboots up to the `done`th, as the row read before the reboot said, are over. */
export async function finishReboot(
  tx: Tx,
  reboot: { readonly id: Id<'instance'>; readonly done: number },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('instances')
    .set({ reboots_done: reboot.done })
    .where('id', '=', reboot.id)
    .where('reboots_done', '<', reboot.done)
    .where('reboots_wanted', '>=', reboot.done)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** What can be changed about an instance beside its state. */
export interface InstanceChanges {
  readonly instanceType?: string
  readonly currentBootMode?: Instance['currentBootMode']
  readonly userData?: string | undefined
  readonly isTerminationDisabled?: boolean
  readonly isStopDisabled?: boolean
  readonly shutdownBehavior?: ShutdownBehavior
  readonly metadataOptions?: MetadataOptions
  readonly isEbsOptimized?: boolean
  readonly hasSourceDestCheck?: boolean
  readonly enaSupport?: true
}

export async function changeInstance(
  tx: Tx,
  id: Id<'instance'>,
  changes: InstanceChanges,
): Promise<void> {
  const { isTerminationDisabled, isStopDisabled, isEbsOptimized, hasSourceDestCheck } = changes
  const { instanceType, currentBootMode, shutdownBehavior, metadataOptions } = changes
  const row = {
    ...(instanceType !== undefined && { instance_type: instanceType }),
    ...(currentBootMode !== undefined && { current_boot_mode: currentBootMode }),
    ...('userData' in changes && { user_data: changes.userData ?? null }),
    ...(isTerminationDisabled !== undefined && {
      is_termination_disabled: toFlag(isTerminationDisabled),
    }),
    ...(isStopDisabled !== undefined && { is_stop_disabled: toFlag(isStopDisabled) }),
    ...(shutdownBehavior !== undefined && { shutdown_behavior: shutdownBehavior }),
    ...(metadataOptions && { metadata_options: JSON.stringify(metadataOptions) }),
    ...(isEbsOptimized !== undefined && { is_ebs_optimized: toFlag(isEbsOptimized) }),
    ...(hasSourceDestCheck !== undefined && { has_source_dest_check: toFlag(hasSourceDestCheck) }),
    ...(changes.enaSupport && { ena_support: 1 as const }),
  }
  if (Object.keys(row).length === 0) return
  await tx.updateTable('instances').set(row).where('id', '=', id).execute()
}

export async function deleteInstance(tx: Tx, id: Id<'instance'>): Promise<void> {
  await tx.deleteFrom('instances').where('id', '=', id).execute()
}

function byId(a: Instance, b: Instance): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

function toRow(instance: Instance): Insertable<Tables['instances']> {
  return {
    id: instance.id,
    account_id: instance.accountId,
    region: instance.region,
    reservation_id: instance.reservationId,
    launch_index: instance.launchIndex,
    client_token: instance.clientToken ?? null,
    image_id: instance.imageId,
    instance_type: instance.instanceType,
    architecture: instance.architecture,
    state: instance.state,
    state_reason_code: instance.cause.reason?.code ?? null,
    state_reason_message: instance.cause.reason?.message ?? null,
    state_transition_reason: instance.cause.transition,
    is_stop_forced: toFlag(instance.isStopForced),
    state_since_ms: instance.stateSince.getTime(),
    reboots_wanted: instance.rebootsWanted,
    reboots_done: instance.rebootsDone,
    key_name: instance.keyName ?? null,
    vpc_id: instance.vpcId,
    subnet_id: instance.subnetId,
    availability_zone: instance.availabilityZone,
    launched_at_ms: instance.launchedAt.getTime(),
    boot_mode: instance.bootMode ?? null,
    current_boot_mode: instance.currentBootMode,
    tpm_support: instance.tpmSupport ?? null,
    ena_support: toFlag(instance.enaSupport),
    root_device_name: instance.rootDeviceName,
    root_device_type: instance.rootDeviceType,
    platform: instance.platform ?? null,
    platform_details: instance.platformDetails,
    usage_operation: instance.usageOperation,
    user_data: instance.userData ?? null,
    is_termination_disabled: toFlag(instance.isTerminationDisabled),
    is_stop_disabled: toFlag(instance.isStopDisabled),
    shutdown_behavior: instance.shutdownBehavior,
    metadata_options: JSON.stringify(instance.metadataOptions),
    is_ebs_optimized: toFlag(instance.isEbsOptimized),
    is_monitored: toFlag(instance.isMonitored),
    has_source_dest_check: toFlag(instance.hasSourceDestCheck),
  }
}

function fromRow(row: Row): Instance {
  const { state_reason_code: code, state_reason_message: message } = row
  const reason = code === null ? undefined : { code, message: message ?? '' }
  return {
    id: row.id,
    accountId: row.account_id,
    region: row.region,
    reservationId: row.reservation_id,
    launchIndex: row.launch_index,
    clientToken: row.client_token ?? undefined,
    imageId: row.image_id,
    instanceType: row.instance_type,
    architecture: row.architecture,
    state: row.state,
    stateSince: new Date(row.state_since_ms),
    cause: { reason, transition: row.state_transition_reason },
    isStopForced: row.is_stop_forced === 1,
    rebootsWanted: row.reboots_wanted,
    rebootsDone: row.reboots_done,
    keyName: row.key_name ?? undefined,
    vpcId: row.vpc_id,
    subnetId: row.subnet_id,
    availabilityZone: row.availability_zone,
    launchedAt: new Date(row.launched_at_ms),
    bootMode: row.boot_mode ?? undefined,
    currentBootMode: row.current_boot_mode,
    tpmSupport: row.tpm_support ?? undefined,
    enaSupport: row.ena_support === 1,
    rootDeviceName: row.root_device_name,
    rootDeviceType: row.root_device_type,
    platform: row.platform ?? undefined,
    platformDetails: row.platform_details,
    usageOperation: row.usage_operation,
    userData: row.user_data ?? undefined,
    isTerminationDisabled: row.is_termination_disabled === 1,
    isStopDisabled: row.is_stop_disabled === 1,
    shutdownBehavior: row.shutdown_behavior,
    metadataOptions: JSON.parse(row.metadata_options) as MetadataOptions,
    isEbsOptimized: row.is_ebs_optimized === 1,
    isMonitored: row.is_monitored === 1,
    hasSourceDestCheck: row.has_source_dest_check === 1,
  }
}
