/** Rows of images and instances, for tests of what calls say about them: nothing runs behind them. */
import { randomBytes } from 'node:crypto'
import { type Connections, transaction } from '../src/db/database.ts'
import { type Image, type NewImage, unlived } from '../src/images/image.ts'
import { insertImage } from '../src/images/store.ts'
import { noCause } from '../src/instances/cause.ts'
import type { Instance } from '../src/instances/instance.ts'
import { defaultMetadataOptions } from '../src/instances/metadata-options.ts'
import { insertInstance } from '../src/instances/store.ts'
import { digestOf } from '../src/lib/digest.ts'
import { formatId, type Kind } from '../src/lib/ids.ts'
import type { CompletedSnapshot } from '../src/snapshots/snapshot.ts'
import { insertSnapshot } from '../src/snapshots/store.ts'
import { insertAttachment, insertVolume } from '../src/volumes/store.ts'

const at = new Date('2026-11-23T10:00:00Z')
export const newId = <K extends Kind>(kind: K) => formatId(kind, randomBytes(9))

interface Owner {
  readonly accountId: string
  readonly region: string
}

export function snapshotRow(
  owner: Owner,
  changes: Partial<CompletedSnapshot> = {},
): CompletedSnapshot {
  return {
    id: newId('snapshot'),
    ...owner,
    volumeId: 'vol-ffffffff',
    volumeSizeGiB: 1,
    description: '',
    startedAt: at,
    progressPercent: 100,
    freezeId: undefined,
    layer: undefined,
    state: 'completed',
    completedAt: at,
    manifest: digestOf(Buffer.from('a disk')),
    parentSnapshotId: undefined,
    fullSizeBytes: 0,
    addedBytes: 0,
    ...changes,
  }
}

/** An available image on a completed snapshot. */
export async function putImage(
  { writes }: Connections,
  owner: Owner,
  changes: Partial<NewImage> & { readonly name: string },
): Promise<Image> {
  const snapshot = snapshotRow(owner)
  const image: NewImage = {
    id: newId('image'),
    ...owner,
    description: undefined,
    location: `${owner.accountId}/${changes.name}`,
    state: 'available',
    stateReason: undefined,
    createdAt: at,
    deregisteredAt: undefined,
    architecture: 'x86_64',
    bootMode: 'uefi-preferred',
    rootDeviceName: '/dev/xvda',
    rootDeviceType: 'ebs',
    virtualizationType: 'hvm',
    platform: undefined,
    platformDetails: 'Linux/UNIX',
    usageOperation: 'RunInstances',
    enaSupport: true,
    sriovNetSupport: 'simple',
    imdsSupport: undefined,
    tpmSupport: undefined,
    isPublic: false,
    sourceInstanceId: undefined,
    sourceImageId: undefined,
    sourceImageRegion: undefined,
    lastLaunchedAt: undefined,
    blockDevices: [
      {
        deviceName: '/dev/xvda',
        ebs: { snapshotId: snapshot.id, sizeGiB: 1, type: 'gp3', deleteOnTermination: true },
      },
    ],
    ...changes,
  }
  await transaction(writes, async (tx) => {
    await insertSnapshot(tx, snapshot)
    await insertImage(tx, image)
  })
  return { ...image, ...unlived }
}

/** An instance that says to run, with its root volume. */
export async function putInstance(
  { writes }: Connections,
  owner: Owner,
  changes: Partial<Instance> & Pick<Instance, 'imageId'>,
): Promise<Instance> {
  const instance: Instance = {
    id: newId('instance'),
    ...owner,
    reservationId: newId('reservation'),
    launchIndex: 0,
    clientToken: undefined,
    instanceType: 't3.nano',
    architecture: 'x86_64',
    state: 'running',
    stateSince: at,
    cause: noCause,
    isStopForced: false,
    rebootsWanted: 0,
    rebootsDone: 0,
    keyName: undefined,
    vpcId: 'vpc-00000001',
    subnetId: 'subnet-00000001',
    availabilityZone: `${owner.region}a`,
    launchedAt: at,
    bootMode: 'uefi-preferred',
    currentBootMode: 'uefi',
    tpmSupport: undefined,
    rootDeviceName: '/dev/xvda',
    rootDeviceType: 'ebs',
    platform: undefined,
    platformDetails: 'Linux/UNIX',
    usageOperation: 'RunInstances',
    userData: undefined,
    isTerminationDisabled: false,
    isStopDisabled: false,
    shutdownBehavior: 'stop',
    metadataOptions: defaultMetadataOptions({ imdsSupport: undefined }),
    isEbsOptimized: false,
    isMonitored: false,
    hasSourceDestCheck: true,
    ...changes,
  }
  const volumeId = newId('volume')
  await transaction(writes, async (tx) => {
    await insertInstance(tx, instance)
    await insertVolume(tx, {
      id: volumeId,
      ...owner,
      availabilityZone: instance.availabilityZone,
      sizeGiB: 1,
      type: 'gp3',
      iops: 3000,
      throughput: 125,
      snapshotId: undefined,
      state: 'in-use',
      createdAt: at,
      baseManifest: undefined,
      knownLayer: 0,
      knownManifest: undefined,
      knownSnapshotId: undefined,
    })
    await insertAttachment(tx, {
      volumeId,
      instanceId: instance.id,
      device: instance.rootDeviceName,
      state: 'attached',
      isDetachForced: false,
      deleteOnTermination: true,
      attachedAt: at,
    })
  })
  return instance
}
