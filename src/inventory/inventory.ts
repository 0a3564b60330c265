/**
 * Which images an account has to do with: its own, and those of others that its machines
 * are on, also when they are deregistered. Of an image of another one is told what one
 * may know: nothing of who else may launch it, or does.
 */
import type { Database } from '../db/database.ts'
import { listAccounts } from '../iam/store.ts'
import type { Image } from '../images/image.ts'
import { listChildrenOf, listInventoryIds, listPermissionsOf } from '../images/inventory-store.ts'
import { findImages } from '../images/store.ts'
import {
  countMachinesOf,
  listImagesInUse,
  listMachines,
  type MachineCount,
} from '../instances/inventory-store.ts'
import { inChunks } from '../lib/chunks.ts'
import { listParameters } from '../parameters/store.ts'
import type { Id } from '../lib/ids.ts'
import type { ImageSizes } from '../wire/readers.ts'
import { listMachinesByRoot, listRootImages } from './root-store.ts'

export interface InventoryQuery {
  /** Nothing for all accounts. */
  readonly accountId: string | undefined
  readonly region: string
  readonly after: string | undefined
  readonly limit: number
  readonly now: Date
}

/** One more than the limit, where there are more. */
export async function takeInventory(db: Database, sizes: ImageSizes, query: InventoryQuery) {
  const { accountId, region, after, limit, now } = query
  const whose = { accountId, region }
  const others = [...(await listImagesInUse(db, whose)), ...(await listRootImages(db, whose))]
  const ids = await listInventoryIds(db, { accountId, region, others, after, limit: limit + 1 })
  const page = ids.slice(0, limit)
  const images: Image[] = []
  for (const some of inChunks(page)) images.push(...(await findImages(db, some)))
  const around = {
    permissions: await listPermissionsOf(db, page),
    machines: [...(await countMachinesOf(db, page)), ...(await listReplaced(db, page))],
    children: await listChildrenOf(db, page),
    aliases: await listAliases(db, { accountId, region }),
    sizes: await sizes.of(db),
  }
  const sorted = images.toSorted((one, other) => (one.id < other.id ? -1 : 1))
  return {
    images: sorted.map((image) => viewItem(image, around, { viewer: accountId, now })),
    hasMore: ids.length > limit,
    isMeasuring: around.sizes === undefined,
  }
}

/** The machines that got a root of each of some images, and were launched from another one. */
async function listReplaced(
  db: Database,
  imageIds: readonly Id<'image'>[],
): Promise<readonly MachineCount[]> {
  const roots = await listMachinesByRoot(db, imageIds)
  const machines = await listMachines(db, [...roots.keys()])
  return machines.flatMap(({ id, imageId: first, ...machine }) =>
    [...(roots.get(id) ?? [])]
      .filter((imageId) => imageId !== first)
      .map((imageId) => ({ ...machine, imageId, count: 1 })),
  )
}

interface Around {
  readonly permissions: Awaited<ReturnType<typeof listPermissionsOf>>
  readonly machines: readonly MachineCount[]
  readonly children: Awaited<ReturnType<typeof listChildrenOf>>
  readonly aliases: ReadonlyMap<string, readonly string[]>
  readonly sizes: Awaited<ReturnType<ImageSizes['of']>>
}

function viewItem(
  image: Image,
  around: Around,
  { viewer, now }: { readonly viewer: string | undefined; readonly now: Date },
) {
  const { id } = image
  const knowsAll = viewer === undefined || viewer === image.accountId
  const mayKnow = (accountId: string) => knowsAll || accountId === viewer
  const granted = (kind: string) =>
    (around.permissions.get(id) ?? []).flatMap((one) => (one.kind === kind ? [one.grantee] : []))
  const machines = around.machines.filter((one) => one.imageId === id && mayKnow(one.accountId))
  const size = around.sizes?.get(id)
  const { deprecatesAt, state } = image
  return {
    imageId: id,
    name: image.name,
    ownerId: image.accountId,
    region: image.region,
    state,
    createdAt: image.createdAt.toISOString(),
    ageDays: Math.max(0, Math.floor((now.getTime() - image.createdAt.getTime()) / dayMs)),
    sourceImageId: image.sourceImageId,
    sourceImageRegion: image.sourceImageRegion,
    sourceInstanceId: knowsAll ? image.sourceInstanceId : undefined,
    ...(knowsAll && size && { ...size, sharedBytes: size.dataBytes - size.aloneBytes }),
    mayLaunch: {
      public: image.isPublic,
      ...(knowsAll && {
        accounts: granted('user'),
        organizations: granted('organization'),
        organizationalUnits: granted('organizational-unit'),
      }),
    },
    machines: sum(machines),
    machinesRunning: sum(machines.filter(({ isRunning }) => isRunning)),
    machinesByAccount: Object.fromEntries(
      [...new Set(machines.map(({ accountId }) => accountId))].map((accountId) => [
        accountId,
        sum(machines.filter((one) => one.accountId === accountId)),
      ]),
    ),
    aliases: around.aliases.get(id) ?? [],
    children: around.children.flatMap((one) =>
      one.parentId === id && mayKnow(one.accountId) ? [one.id] : [],
    ),
    lastLaunchedAt: knowsAll ? image.lastLaunchedAt?.toISOString() : undefined,
    deprecatesAt: deprecatesAt?.toISOString(),
    isDeprecated: deprecatesAt !== undefined && deprecatesAt <= now,
    isDisabled: state === 'disabled',
    expiresAt: state === 'recycled' ? image.recycleExitAt?.toISOString() : undefined,
    deregisteredAt: image.deregisteredAt?.toISOString(),
  }
}

export type InventoryItem = ReturnType<typeof viewItem>

const dayMs = 24 * 60 * 60 * 1000

const sum = (machines: readonly { readonly count: number }[]): number =>
  machines.reduce((total, { count }) => total + count, 0)

/** The parameters that name images, of one account or of all. */
async function listAliases(
  db: Database,
  { accountId, region }: { readonly accountId: string | undefined; readonly region: string },
): Promise<ReadonlyMap<string, readonly string[]>> {
  const accounts =
    accountId === undefined ? (await listAccounts(db)).map(({ id }) => id) : [accountId]
  const aliases = new Map<string, string[]>()
  for (const each of accounts) {
    for (const { latest } of await listParameters(db, { accountId: each, region })) {
      if (latest.dataType !== 'aws:ec2:image') continue
      const name = accountId === undefined ? `${each}:${latest.name}` : latest.name
      aliases.set(latest.value, [...(aliases.get(latest.value) ?? []), name])
    }
  }
  return aliases
}
