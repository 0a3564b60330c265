/** Makes a stored disk an image: a completed snapshot, and an image that boots from it. */
import type { Tx } from '../db/database.ts'
import { billingOf } from '../images/billing.ts'
import type { BootMode } from '../images/image.ts'
import { insertImage } from '../images/store.ts'
import type { Digest } from '../lib/digest.ts'
import type { Id, Kind } from '../lib/ids.ts'
import type { Owner } from '../lib/owner.ts'
import { wishScan } from '../scans/wish.ts'
import { everyone } from '../snapshots/permission.ts'
import { addSnapshotPermissions } from '../snapshots/permission-store.ts'
import { noVolumeId } from '../snapshots/snapshot.ts'
import { insertSnapshot } from '../snapshots/store.ts'
import type { ImageWishes } from './import.ts'

/** How EC2 names the first disk of a machine. */
const usualDeviceName = '/dev/xvda'
const gibibyte = 2 ** 30

export interface StoredDisk {
  readonly manifest: Digest
  readonly sizeBytes: number
  readonly fullSizeBytes: number
  readonly addedBytes: number
  /** The key that it is encrypted with, where it is. */
  readonly kmsKeyArn?: string | undefined
  readonly bootMode: BootMode
  readonly platform?: 'windows' | undefined
}

interface Tools {
  readonly now: Date
  readonly newId: <K extends Kind>(kind: K) => Id<K>
}

/** What an image made of several disks has beside the first, which it boots from. */
export interface MoreOfImage {
  readonly rootDeviceName?: string
  readonly others?: readonly { readonly deviceName: string; readonly disk: StoredSize }[]
}

type StoredSize = Omit<StoredDisk, 'bootMode' | 'platform'>

const sizeGiBOf = ({ sizeBytes }: StoredSize) => Math.max(1, Math.ceil(sizeBytes / gibibyte))

/** Makes a stored disk a completed snapshot. */
export async function publishSnapshot(
  tx: Tx,
  { accountId, region }: Owner,
  description: string,
  disk: StoredSize,
  { now, newId }: Tools,
): Promise<Id<'snapshot'>> {
  const id = newId('snapshot')
  await insertSnapshot(tx, {
    id,
    accountId,
    region,
    volumeId: noVolumeId,
    volumeSizeGiB: sizeGiBOf(disk),
    description,
    startedAt: now,
    progressPercent: 100,
    freezeId: undefined,
    layer: undefined,
    ...(disk.kmsKeyArn !== undefined && { kmsKeyArn: disk.kmsKeyArn }),
    state: 'completed',
    completedAt: now,
    manifest: disk.manifest,
    parentSnapshotId: undefined,
    fullSizeBytes: disk.fullSizeBytes,
    addedBytes: disk.addedBytes,
  })
  return id
}

export async function publishImage(
  tx: Tx,
  to: Owner,
  wishes: ImageWishes,
  disk: StoredDisk,
  tools: Tools,
  { rootDeviceName = usualDeviceName, others = [] }: MoreOfImage = {},
): Promise<{
  readonly imageId: Id<'image'>
  readonly snapshotId: Id<'snapshot'>
  /** Of all disks, the first included. */
  readonly snapshotIds: readonly Id<'snapshot'>[]
}> {
  const { now, newId } = tools
  const { accountId, region } = to
  const imageId = newId('image')
  const description = `Imported for ${imageId}`
  const snapshotId = await publishSnapshot(tx, to, description, disk, tools)
  const blockDevices = [blockDeviceOf(rootDeviceName, snapshotId, disk)]
  for (const { deviceName, disk: other } of others) {
    const id = await publishSnapshot(tx, to, description, other, tools)
    blockDevices.push(blockDeviceOf(deviceName, id, other))
  }
  // Who sees an image of the provider may copy it, as in EC2.
  if (wishes.isPublic) await addSnapshotPermissions(tx, snapshotId, [everyone])
  await insertImage(tx, {
    id: imageId,
    accountId,
    region,
    name: wishes.name,
    description: wishes.description,
    location: `${accountId}/${wishes.name}`,
    state: 'available',
    stateReason: undefined,
    createdAt: now,
    deregisteredAt: undefined,
    architecture: wishes.architecture,
    bootMode: wishes.bootMode ?? disk.bootMode,
    rootDeviceName,
    rootDeviceType: 'ebs',
    virtualizationType: 'hvm',
    ...billingOf(disk.platform),
    enaSupport: true,
    sriovNetSupport: 'simple',
    imdsSupport: undefined,
    tpmSupport: undefined,
    isPublic: wishes.isPublic,
    sourceInstanceId: undefined,
    sourceImageId: undefined,
    sourceImageRegion: undefined,
    lastLaunchedAt: undefined,
    blockDevices,
  })
  await wishScan(tx, { id: imageId, rootDeviceName, rootDeviceType: 'ebs', blockDevices })
  return { imageId, snapshotId, snapshotIds: blockDevices.map(({ ebs }) => ebs.snapshotId) }
}

const blockDeviceOf = (deviceName: string, snapshotId: Id<'snapshot'>, disk: StoredSize) => ({
  deviceName,
  ebs: {
    snapshotId,
    sizeGiB: sizeGiBOf(disk),
    type: 'gp3' as const,
    deleteOnTermination: true,
    ...(disk.kmsKeyArn !== undefined && { isEncrypted: true as const }),
  },
})
