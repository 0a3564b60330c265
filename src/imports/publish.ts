/** Makes a stored disk an image: a completed snapshot, and an image that boots from it. */
import type { Tx } from '../db/database.ts'
import { billingOf } from '../images/billing.ts'
import type { BootMode } from '../images/image.ts'
import { insertImage } from '../images/store.ts'
import type { Digest } from '../lib/digest.ts'
import type { Id, Kind } from '../lib/ids.ts'
import { everyone } from '../snapshots/permission.ts'
import { addSnapshotPermissions } from '../snapshots/permission-store.ts'
import { noVolumeId } from '../snapshots/snapshot.ts'
import { insertSnapshot } from '../snapshots/store.ts'
import type { ImageWishes } from './import.ts'

/** How EC2 names the first disk of a machine. */
const rootDeviceName = '/dev/xvda'
const gibibyte = 2 ** 30

export interface StoredDisk {
  readonly manifest: Digest
  readonly sizeBytes: number
  readonly fullSizeBytes: number
  readonly addedBytes: number
  readonly bootMode: BootMode
  readonly platform?: 'windows' | undefined
}

export async function publishImage(
  tx: Tx,
  to: { readonly accountId: string; readonly region: string },
  wishes: ImageWishes,
  disk: StoredDisk,
  tools: { readonly now: Date; readonly newId: <K extends Kind>(kind: K) => Id<K> },
): Promise<{ imageId: Id<'image'>; snapshotId: Id<'snapshot'> }> {
  const { now, newId } = tools
  const { accountId, region } = to
  const snapshotId = newId('snapshot')
  const imageId = newId('image')
  const sizeGiB = Math.max(1, Math.ceil(disk.sizeBytes / gibibyte))
  await insertSnapshot(tx, {
    id: snapshotId,
    accountId,
    region,
    volumeId: noVolumeId,
    volumeSizeGiB: sizeGiB,
    description: `Imported for ${imageId}`,
    startedAt: now,
    progressPercent: 100,
    freezeId: undefined,
    layer: undefined,
    state: 'completed',
    completedAt: now,
    manifest: disk.manifest,
    parentSnapshotId: undefined,
    fullSizeBytes: disk.fullSizeBytes,
    addedBytes: disk.addedBytes,
  })
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
    blockDevices: [
      {
        deviceName: rootDeviceName,
        ebs: { snapshotId, sizeGiB, type: 'gp3', deleteOnTermination: true },
      },
    ],
  })
  return { imageId, snapshotId }
}
