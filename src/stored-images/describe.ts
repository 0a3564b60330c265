/** Finds an image that the caller may store, and writes down all that goes into the object. */
import type { Tx } from '../db/database.ts'
import { findCopySource } from '../images/copy-source.ts'
import { viewerOf } from '../images/find.ts'
import { type Image, imageNotAuthorized } from '../images/image.ts'
import { permissionsOf } from '../images/launch-permission.ts'
import { listLaunchPermissions } from '../images/permission-store.ts'
import { findUefiData } from '../images/uefi-data-store.ts'
import { listWatermarks } from '../images/watermark-store.ts'
import type { CompletedSnapshot } from '../snapshots/snapshot.ts'
import { listSnapshotPermissions } from '../snapshots/permission-store.ts'
import { listTags } from '../tags/store.ts'
import type { Tag } from '../tags/tag.ts'
import type { Description } from './description.ts'
import { cannotStore, imageGiBMax } from './store-task.ts'

interface Query {
  readonly accountId: string
  readonly region: string
  readonly id: string
  readonly now: Date
}

export interface Storable {
  readonly image: Image
  readonly snapshots: readonly CompletedSnapshot[]
  readonly sizeGiB: number
}

export async function findStorable(tx: Tx, query: Query): Promise<Storable> {
  const { image, snapshots } = await findCopySource(tx, query)
  await requireShared(tx, query.accountId, image, snapshots)
  if (image.rootDeviceType !== 'ebs') {
    throw cannotStore(`The image ${image.id} is not backed by EBS. Only such images can be stored.`)
  }
  if (image.virtualizationType !== 'hvm') {
    throw cannotStore(`The image ${image.id} is paravirtual. Such images cannot be stored.`)
  }
  const sizeGiB = snapshots.reduce((sum, { volumeSizeGiB }) => sum + volumeSizeGiB, 0)
  if (sizeGiB > imageGiBMax) {
    throw cannotStore(
      `The snapshots of the image ${image.id} have ${sizeGiB} GB. The limit is ${imageGiBMax} GB.`,
    )
  }
  return { image, snapshots, sizeGiB }
}

/** That everyone may have an image is not enough: it has to be one's own, or given to one by name. */
async function requireShared(
  tx: Tx,
  accountId: string,
  image: Image,
  snapshots: readonly CompletedSnapshot[],
): Promise<void> {
  if (image.accountId !== accountId) {
    const ours = permissionsOf(await viewerOf(tx, accountId))
    const given = await listLaunchPermissions(tx, image.id)
    const isShared = given.some(({ kind, grantee }) =>
      ours.some((one) => one.kind === kind && one.grantee === grantee),
    )
    if (!isShared) throw imageNotAuthorized(image.id)
  }
  for (const snapshot of snapshots) {
    if (snapshot.accountId === accountId) continue
    const given = await listSnapshotPermissions(tx, snapshot.id)
    if (!given.includes(accountId)) throw imageNotAuthorized(image.id)
  }
}

export async function describe(
  tx: Tx,
  { image, snapshots }: Storable,
  stored: {
    /** Whose tags go along. */
    readonly accountId: string
    readonly task: string
    readonly at: Date
    readonly objectTags: readonly Tag[]
  },
): Promise<Description> {
  const resourceIds = [image.id, ...snapshots.map(({ id }) => id)]
  const tags = await listTags(tx, { accountId: stored.accountId, resourceIds })
  return {
    task: stored.task,
    storedAt: stored.at,
    objectTags: stored.objectTags,
    image: {
      id: image.id,
      accountId: image.accountId,
      region: image.region,
      name: image.name,
      description: image.description,
      createdAt: image.createdAt,
      architecture: image.architecture,
      bootMode: image.bootMode,
      rootDeviceName: image.rootDeviceName,
      virtualizationType: image.virtualizationType,
      platform: image.platform,
      platformDetails: image.platformDetails,
      usageOperation: image.usageOperation,
      enaSupport: image.enaSupport,
      sriovNetSupport: image.sriovNetSupport,
      imdsSupport: image.imdsSupport,
      tpmSupport: image.tpmSupport,
      uefiData: await findUefiData(tx, image.id),
      blockDevices: image.blockDevices,
      tags: tags.get(image.id)?.filter(isOwn) ?? [],
      watermarks: (await listWatermarks(tx, [image.id])).get(image.id) ?? [],
    },
    disks: snapshots.map(({ id, manifest, volumeSizeGiB }) => ({
      snapshotId: id,
      manifest,
      sizeGiB: volumeSizeGiB,
      tags: tags.get(id)?.filter(isOwn) ?? [],
    })),
  }
}

const isOwn = ({ key }: Tag): boolean => !key.toLowerCase().startsWith('aws:')
