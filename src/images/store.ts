/** The `images` and `image_snapshots` tables. Nothing else reads or writes them. */
import { type Insertable, type Selectable, sql } from 'kysely'
import { toDate, toFlag } from '../db/columns.ts'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { Id } from '../lib/ids.ts'
import {
  type BlockDevice,
  type Image,
  imageNameTaken,
  type ImageState,
  type NewImage,
  snapshotsOf,
  type StateReason,
} from './image.ts'
import type { InstanceTypes } from './instance-types.ts'
import { imagesMax, quotaExceeded } from './quota.ts'
import { type LaunchPermission, permissionsOf, type Viewer } from './launch-permission.ts'

/** Stores a new image. Refused where an image of the same owner and Region has its name, or there are too many. */
export async function insertImage(tx: Tx, image: NewImage, max = imagesMax): Promise<void> {
  // A name that is taken is found out by the unique index, also while another call is taking it.
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('images')
    .values(toRow(image))
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  if (numInsertedOrUpdatedRows !== 1n) {
    throw imageNameTaken(image.name, (await findImageIdByName(tx, image)) ?? 'of another call')
  }
  if ((await countImages(tx, image)) > max) throw quotaExceeded('AMIs in this Region', max)
  const links = snapshotsOf(image).map((id) => ({ image_id: image.id, snapshot_id: id }))
  if (links.length > 0) await tx.insertInto('image_snapshots').values(links).execute()
}

/** How many images an account has in a Region, also in the Recycle Bin. */
export async function countImages(
  db: Database,
  { accountId, region, isPublic }: Pick<Image, 'accountId' | 'region'> & { isPublic?: boolean },
): Promise<number> {
  const counts: number[] = []
  // The first are counted in the index of their names alone, however many have come and gone.
  for (const states of [sql`('pending', 'available', 'disabled')`, sql`('recycled')`]) {
    let select = db
      .selectFrom('images')
      .select((of) => of.fn.countAll<number>().as('count'))
      .where('account_id', '=', accountId)
      .where('region', '=', region)
      .where(sql<boolean>`state IN ${states}`)
    if (isPublic) select = select.where('is_public', '=', 1)
    counts.push(Number((await select.executeTakeFirstOrThrow()).count))
  }
  return counts.reduce((sum, count) => sum + count, 0)
}

/** Refuses a name that an image has now. */
export async function requireFreeName(
  db: Database,
  image: Pick<Image, 'accountId' | 'region' | 'name'>,
): Promise<void> {
  const taken = await findImageIdByName(db, image)
  if (taken) throw imageNameTaken(image.name, taken)
}

/** The image that has a name now. */
export async function findImageIdByName(
  db: Database,
  { accountId, region, name }: Pick<Image, 'accountId' | 'region' | 'name'>,
): Promise<Id<'image'> | undefined> {
  const row = await db
    .selectFrom('images')
    .select('id')
    .where('account_id', '=', accountId)
    .where('region', '=', region)
    .where('name', '=', name)
    .where('state', 'in', ['pending', 'available', 'disabled'])
    .executeTakeFirst()
  return row?.id
}

/** An image in any state, also a deregistered one, whoever has it. */
export async function findImage(db: Database, id: Id<'image'>): Promise<Image | undefined> {
  const row = await db.selectFrom('images').selectAll().where('id', '=', id).executeTakeFirst()
  return row && fromRow(row)
}

/** Several at once, as `findImage`. */
export async function findImages(
  db: Database,
  ids: readonly Id<'image'>[],
): Promise<readonly Image[]> {
  if (ids.length === 0) return []
  const rows = await db.selectFrom('images').selectAll().where('id', 'in', ids).execute()
  return rows.map(fromRow)
}

export interface ImageQuery {
  /** Who asks: one sees one's own, public ones, and those that are shared with one. */
  readonly viewer: Viewer
  readonly region: string
  readonly ids?: readonly Id<'image'>[] | undefined
  /** Leaves out all others, few as they are. */
  readonly among?: readonly string[] | undefined
  readonly ownerIds?: readonly string[] | undefined
  /** Leaves out those that are not public, whatever else. */
  readonly publicOnly?: boolean | undefined
  /** Names, or patterns with `*` and `?`. What differs in case only may come along. */
  readonly names?: readonly string[] | undefined
  readonly isPublic?: boolean | undefined
  /** Permissions of which the image has to have one. Which others have them is for its owner alone to know. */
  readonly sharedWith?: readonly LaunchPermission[] | undefined
  /** Leaves out what others have deprecated by this time. */
  readonly notDeprecatedAt?: Date | undefined
  readonly withoutDisabled?: boolean | undefined
  readonly after?: string | undefined
  readonly limit?: number | undefined
}

/** What there is to see, in the order of ids. Images in the bin and deregistered ones are not. */
export async function listImages(db: Database, query: ImageQuery): Promise<readonly Image[]> {
  const { ids, among, ownerIds, publicOnly, limit = Infinity } = query
  const viewer = query.viewer.accountId
  const all = selectImages(db, query)
  const own = all.where('account_id', '=', viewer)
  // Who asks for nothing but one's own needs no look at who else may see what.
  if (ownerIds?.length === 1 && ownerIds[0] === viewer) return (await own.execute()).map(fromRow)
  const shared = givenTo(db, permissionsOf(query.viewer))
  if (ids || among) {
    const visible = all.where((where) =>
      where.or([
        where('account_id', '=', viewer),
        where('is_public', '=', 1),
        where('id', 'in', shared),
      ]),
    )
    return (await visible.execute()).map(fromRow)
  }
  if (publicOnly) return (await all.execute()).map(fromRow)
  // Each of the three finds its first rows by an index of its own, however many there are.
  const sharedIds = (await shared.execute()).map((row) => row.image_id)
  const found = new Map<Id<'image'>, Selectable<Tables['images']>>()
  for (const some of [
    own,
    all.where('is_public', '=', 1),
    ...chunks(sharedIds).map((some) => selectImages(db, { ...query, among: some })),
  ]) {
    for (const row of await some.execute()) found.set(row.id, row)
  }
  const rows = [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  return (rows.length > limit ? rows.slice(0, limit) : rows).map(fromRow)
}

/** So that no query has more parameters than a database takes. */
function chunks<T>(items: readonly T[]): readonly (readonly T[])[] {
  const sizeMax = 500
  return Array.from({ length: Math.ceil(items.length / sizeMax) }, (_, number) =>
    items.slice(number * sizeMax, (number + 1) * sizeMax),
  )
}

function selectImages(db: Database, query: ImageQuery) {
  const { region, ids, ownerIds, names, isPublic, sharedWith, after, limit = Infinity } = query
  const { viewer, notDeprecatedAt, withoutDisabled, among, publicOnly } = query
  const images = db.selectFrom('images').selectAll()
  // Of a few ids none is looked for by its Region: SQLite would take an index of all that is there.
  const ofRegion =
    ids || among
      ? images.where(sql<boolean>`region || '' = ${region}`)
      : images.where('region', '=', region)
  let select = ofRegion
    .where('state', 'not in', [
      'recycled',
      'deregistered',
      ...(withoutDisabled ? (['disabled'] as const) : []),
    ])
    .orderBy('id')
  if (ids) select = select.where('id', 'in', idsOf(ids))
  if (among) select = select.where('id', 'in', idsOf(among))
  if (publicOnly) select = select.where('is_public', '=', 1)
  if (ownerIds) select = select.where('account_id', 'in', ownerIds.length > 0 ? ownerIds : [''])
  if (names?.some((name) => /[*?]/.test(name))) {
    select = select.where((where) =>
      where.or(names.map((name) => sql<boolean>`name LIKE ${likeOf(name)} ESCAPE '\\'`)),
    )
  } else if (names) select = select.where('id', 'in', named(db, region, names))
  if (isPublic !== undefined || sharedWith) {
    select = select.where((where) =>
      where.or([
        ...(isPublic === undefined ? [] : [where('is_public', '=', toFlag(isPublic))]),
        ...(sharedWith
          ? [
              where('id', 'in', givenTo(db, sharedWith.filter(isOf(viewer)))),
              where.and([
                where('account_id', '=', viewer.accountId),
                where('id', 'in', givenTo(db, sharedWith)),
              ]),
            ]
          : []),
      ]),
    )
  }
  if (notDeprecatedAt) {
    select = select.where((where) =>
      where.or([
        where('account_id', '=', viewer.accountId),
        where('deprecates_at_ms', 'is', null),
        where('deprecates_at_ms', '>', notDeprecatedAt.getTime()),
      ]),
    )
  }
  if (after !== undefined) select = select.where('id', '>', after as Id<'image'>)
  return limit === Infinity ? select : select.limit(limit)
}

function isOf(viewer: Viewer): (permission: LaunchPermission) => boolean {
  const has = permissionsOf(viewer)
  return ({ kind, grantee }) => has.some((one) => one.kind === kind && one.grantee === grantee)
}

/** A query of its own, so that no database prefers to look through all images in the order of ids. */
function named(db: Database, region: string, names: readonly string[]) {
  return db
    .selectFrom('images')
    .select('id')
    .where('region', '=', region)
    .where('name', 'in', names)
}

const idsOf = (ids: readonly string[]): readonly Id<'image'>[] =>
  (ids.length > 0 ? ids : ['ami-']) as readonly Id<'image'>[]

const likeOf = (pattern: string): string =>
  pattern
    .replaceAll(/[%_]/g, String.raw`\$&`)
    .replaceAll('*', '%')
    .replaceAll('?', '_')

function givenTo(db: Database, permissions: readonly LaunchPermission[]) {
  const grantees = (kind: LaunchPermission['kind']) => {
    const found = permissions.filter((one) => one.kind === kind).map(({ grantee }) => grantee)
    return found.length > 0 ? found : ['']
  }
  const kinds = [...new Set(permissions.map(({ kind }) => kind))]
  const select = db.selectFrom('image_permissions').select('image_id')
  const [kind = 'user', ...more] = kinds
  if (more.length === 0)
    return select.where('kind', '=', kind).where('grantee', 'in', grantees(kind))
  return select.where((where) =>
    where.or(
      kinds.map((one) =>
        where.and([where('kind', '=', one), where('grantee', 'in', grantees(one))]),
      ),
    ),
  )
}

export async function listPendingImageIds(db: Database): Promise<readonly Id<'image'>[]> {
  const rows = await db.selectFrom('images').select('id').where('state', '=', 'pending').execute()
  return rows.map((row) => row.id)
}

/** Moves an image from one state to another. Tells whether it was in the first. */
export async function changeImageState(
  tx: Tx,
  change: {
    readonly id: Id<'image'>
    readonly from: readonly ImageState[]
    readonly to: ImageState
    readonly at: Date
    readonly reason?: StateReason
  },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('images')
    .set({
      state: change.to,
      state_reason_code: change.reason?.code ?? null,
      state_reason_message: change.reason?.message ?? null,
      ...(change.to === 'deregistered' && { deregistered_at_ms: change.at.getTime() }),
    })
    .where('id', '=', change.id)
    .where('state', 'in', change.from)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

export async function setImageDescription(
  tx: Tx,
  image: { readonly id: Id<'image'>; readonly description: string },
): Promise<void> {
  const { id, description } = image
  await tx.updateTable('images').set({ description }).where('id', '=', id).execute()
}

/** Images of which instances cannot have fewer rights than the newest metadata service: for good. */
export async function requireImdsV2(tx: Tx, id: Id<'image'>): Promise<void> {
  await tx.updateTable('images').set({ imds_support: 'v2.0' }).where('id', '=', id).execute()
}

/** Says what the disk of an image has turned out to be. */
export async function setImageBilling(
  tx: Tx,
  id: Id<'image'>,
  billing: Pick<Image, 'platform' | 'platformDetails' | 'usageOperation'>,
): Promise<void> {
  await tx
    .updateTable('images')
    .set({
      platform: billing.platform ?? null,
      platform_details: billing.platformDetails,
      usage_operation: billing.usageOperation,
    })
    .where('id', '=', id)
    .execute()
}

/** Notes that an instance was launched from the image. */
export async function markLaunched(tx: Tx, id: Id<'image'>, now: Date): Promise<void> {
  await tx
    .updateTable('images')
    .set({ last_launched_at_ms: now.getTime() })
    .where('id', '=', id)
    .execute()
}

/** The states of an image that needs its snapshots: now, or when it comes back. */
const livingStates = ['pending', 'available', 'disabled', 'recycled'] as const

/** The images that live on each of the snapshots, also those that could come back. */
export async function listImagesOnSnapshots(
  db: Database,
  snapshotIds: readonly Id<'snapshot'>[],
  states: readonly (typeof livingStates)[number][] = livingStates,
): Promise<ReadonlyMap<Id<'snapshot'>, readonly Id<'image'>[]>> {
  const users = new Map<Id<'snapshot'>, Id<'image'>[]>()
  if (snapshotIds.length === 0) return users
  const rows = await db
    .selectFrom('image_snapshots')
    .innerJoin('images', 'images.id', 'image_snapshots.image_id')
    .select(['image_snapshots.snapshot_id', 'image_snapshots.image_id'])
    .where('image_snapshots.snapshot_id', 'in', snapshotIds)
    .where('images.state', 'in', states)
    .orderBy('image_snapshots.image_id')
    .execute()
  for (const { snapshot_id, image_id } of rows) {
    users.set(snapshot_id, [...(users.get(snapshot_id) ?? []), image_id])
  }
  return users
}

/** An image that keeps the snapshot from being archived: any but a disabled one. */
export async function findImageInUse(
  db: Database,
  snapshotId: Id<'snapshot'>,
): Promise<Id<'image'> | undefined> {
  const states = livingStates.filter((state) => state !== 'disabled')
  return (await listImagesOnSnapshots(db, [snapshotId], states)).get(snapshotId)?.[0]
}

/** The snapshots of images that are there and were launched before. */
export async function listLaunchedSnapshotIds(db: Database): Promise<readonly Id<'snapshot'>[]> {
  const rows = await db
    .selectFrom('image_snapshots')
    .innerJoin('images', 'images.id', 'image_snapshots.image_id')
    .select('image_snapshots.snapshot_id')
    .distinct()
    .where('images.state', '=', 'available')
    .where('images.last_launched_at_ms', 'is not', null)
    .execute()
  return rows.map((row) => row.snapshot_id)
}

function toRow(image: NewImage): Insertable<Tables['images']> {
  return {
    id: image.id,
    account_id: image.accountId,
    region: image.region,
    name: image.name,
    description: image.description ?? null,
    location: image.location,
    state: image.state,
    state_reason_code: image.stateReason?.code ?? null,
    state_reason_message: image.stateReason?.message ?? null,
    created_at_ms: image.createdAt.getTime(),
    deregistered_at_ms: image.deregisteredAt?.getTime() ?? null,
    architecture: image.architecture,
    boot_mode: image.bootMode ?? null,
    root_device_name: image.rootDeviceName,
    root_device_type: image.rootDeviceType,
    virtualization_type: image.virtualizationType,
    platform: image.platform ?? null,
    platform_details: image.platformDetails,
    usage_operation: image.usageOperation,
    ena_support: toFlag(image.enaSupport),
    sriov_net_support: image.sriovNetSupport ?? null,
    imds_support: image.imdsSupport ?? null,
    tpm_support: image.tpmSupport ?? null,
    is_public: toFlag(image.isPublic),
    source_instance_id: image.sourceInstanceId ?? null,
    source_image_id: image.sourceImageId ?? null,
    source_image_region: image.sourceImageRegion ?? null,
    last_launched_at_ms: image.lastLaunchedAt?.getTime() ?? null,
    block_devices: JSON.stringify(image.blockDevices),
  }
}

function fromRow(row: Selectable<Tables['images']>): Image {
  return {
    id: row.id,
    accountId: row.account_id,
    region: row.region,
    name: row.name,
    description: row.description ?? undefined,
    location: row.location,
    state: row.state,
    stateReason:
      row.state_reason_code === null
        ? undefined
        : { code: row.state_reason_code, message: row.state_reason_message ?? '' },
    createdAt: new Date(row.created_at_ms),
    deregisteredAt: toDate(row.deregistered_at_ms),
    architecture: row.architecture,
    bootMode: row.boot_mode ?? undefined,
    rootDeviceName: row.root_device_name,
    rootDeviceType: row.root_device_type,
    virtualizationType: row.virtualization_type,
    platform: row.platform ?? undefined,
    platformDetails: row.platform_details,
    usageOperation: row.usage_operation,
    enaSupport: row.ena_support === 1,
    sriovNetSupport: row.sriov_net_support ?? undefined,
    imdsSupport: row.imds_support ?? undefined,
    tpmSupport: row.tpm_support ?? undefined,
    isPublic: row.is_public === 1,
    sourceInstanceId: row.source_instance_id ?? undefined,
    sourceImageId: row.source_image_id ?? undefined,
    sourceImageRegion: row.source_image_region ?? undefined,
    lastLaunchedAt: toDate(row.last_launched_at_ms),
    blockDevices: JSON.parse(row.block_devices) as readonly BlockDevice[],
    deprecatesAt: toDate(row.deprecates_at_ms),
    protection: row.protection,
    protectedUntil: toDate(row.protected_until_ms),
    recycledAt: toDate(row.recycled_at_ms),
    recycleExitAt: toDate(row.recycle_exit_at_ms),
    instanceTypes:
      row.instance_types === null ? undefined : (JSON.parse(row.instance_types) as InstanceTypes),
  }
}
