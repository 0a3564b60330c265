/**
 * The disks that an instance gets: those of its image, changed by what the call
 * says of them, and those that the call adds.
 */
import type { BlockDeviceMapping, EbsBlockDevice } from '@aws-sdk/client-ec2'
import type { Database } from '../db/database.ts'
import { ebsNotSupported } from '../images/block-devices.ts'
import type { BlockDevice, Image } from '../images/image.ts'
import { ApiError, missingParameter } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'
import type { Owner } from '../lib/owner.ts'
import {
  type CompletedSnapshot,
  parseSnapshotId,
  requireCompleted,
  snapshotNotFound,
} from '../snapshots/snapshot.ts'
import { findSnapshots, findUsableSnapshot } from '../snapshots/store.ts'
import { checkDeviceName } from '../volumes/attachment.ts'
import { smallerThanSnapshot } from '../volumes/volume.ts'
import { checkBootType } from '../volumes/volume-type.ts'
import { unsupportedParameter } from './launch-request.ts'

interface DiskShape {
  readonly device: string
  readonly type: string
  readonly iops: number | undefined
  readonly throughput: number | undefined
  readonly initializationRate?: number | undefined
  readonly encrypted: boolean | undefined
  readonly keyId?: string | undefined
  readonly deleteOnTermination: boolean
}

export interface Disk extends DiskShape {
  readonly snapshot: CompletedSnapshot | undefined
  readonly sizeGiB: number
}

interface DiskWish extends DiskShape {
  readonly snapshotId: Id<'snapshot'> | undefined
  /** The snapshot comes with the image, so who may launch it may use it. */
  readonly isOfImage: boolean
  readonly sizeGiB: number | undefined
}

const defaultVolumeType = 'gp2'

/** Merges what the call says of disks into what the image says. */
export function mergeBlockDevices(
  image: Pick<Image, 'blockDevices' | 'rootDeviceName' | 'rootDeviceType'>,
  overrides: readonly BlockDeviceMapping[] = [],
): readonly DiskWish[] {
  const byName = new Map<string, BlockDeviceMapping>()
  for (const override of overrides) {
    const name = override.DeviceName
    if (name === undefined) throw missingParameter('deviceName')
    if (byName.has(name)) {
      throw refused(`The device '${name}' is used in more than one block-device mapping`)
    }
    byName.set(name, override)
  }
  if (image.rootDeviceType === 'instance-store') {
    // Its root is no mapping, and the host has no other disks of its own.
    if (overrides.some(({ Ebs }) => Ebs)) throw ebsNotSupported()
    return []
  }
  const kept = image.blockDevices.flatMap((device) => {
    const override = byName.get(device.deviceName)
    byName.delete(device.deviceName)
    const isRoot = device.deviceName === image.rootDeviceName
    return override ? changed(device, override, isRoot) : unchanged(device)
  })
  const added = [...byName].flatMap(([name, override]) => addedDisk(name, override))
  const wishes = [...kept, ...added]
  const root = wishes.find(({ device }) => device === image.rootDeviceName)
  if (root) {
    checkBootType(root.type)
    return wishes
  }
  throw refused(`There is no block-device mapping for the root device '${image.rootDeviceName}'`)
}

function unchanged({ deviceName, ebs }: BlockDevice): DiskWish[] {
  // A disk of the host's own, which EC2 leaves out too where the type has none.
  if (!ebs) return []
  const { snapshotId, sizeGiB, type, iops, throughput, deleteOnTermination } = ebs
  return [
    {
      device: deviceName,
      snapshotId,
      isOfImage: true,
      sizeGiB,
      type,
      iops,
      throughput,
      encrypted: ebs.isEncrypted,
      deleteOnTermination,
    },
  ]
}

function changed(device: BlockDevice, override: BlockDeviceMapping, isRoot: boolean): DiskWish[] {
  if (override.NoDevice !== undefined || override.VirtualName !== undefined) return []
  const { Ebs } = override
  const [before] = unchanged(device)
  if (!Ebs) return before ? [before] : []
  if (!before) return addedDisk(device.deviceName, override)
  checkEbs(Ebs)
  const snapshotId = Ebs.SnapshotId === undefined ? undefined : parseSnapshotId(Ebs.SnapshotId)
  const isOther = snapshotId !== undefined && snapshotId !== before.snapshotId
  if (isOther && isRoot) throw refused('snapshotId cannot be modified on root device')
  const type = Ebs.VolumeType ?? before.type
  // What the image promises for one type of volume says nothing about another.
  const isSameType = type === before.type
  return [
    {
      device: before.device,
      snapshotId: snapshotId ?? before.snapshotId,
      isOfImage: !isOther,
      sizeGiB: Ebs.VolumeSize ?? (isOther ? undefined : before.sizeGiB),
      type,
      iops: Ebs.Iops ?? (isSameType ? before.iops : undefined),
      throughput: Ebs.Throughput ?? (isSameType ? before.throughput : undefined),
      initializationRate: Ebs.VolumeInitializationRate,
      // A key is only taken with the word for it, whatever the image says.
      encrypted: Ebs.Encrypted ?? (isOther || Ebs.KmsKeyId ? undefined : before.encrypted),
      keyId: Ebs.KmsKeyId,
      deleteOnTermination: Ebs.DeleteOnTermination ?? before.deleteOnTermination,
    },
  ]
}

function addedDisk(device: string, { Ebs, NoDevice, VirtualName }: BlockDeviceMapping): DiskWish[] {
  if (NoDevice !== undefined || VirtualName !== undefined) return []
  if (!Ebs) throw missingParameter('ebs')
  checkDeviceName(device)
  checkEbs(Ebs)
  return [
    {
      device,
      snapshotId: Ebs.SnapshotId === undefined ? undefined : parseSnapshotId(Ebs.SnapshotId),
      isOfImage: false,
      sizeGiB: Ebs.VolumeSize,
      type: Ebs.VolumeType ?? defaultVolumeType,
      iops: Ebs.Iops,
      throughput: Ebs.Throughput,
      initializationRate: Ebs.VolumeInitializationRate,
      encrypted: Ebs.Encrypted,
      keyId: Ebs.KmsKeyId,
      deleteOnTermination: Ebs.DeleteOnTermination ?? false,
    },
  ]
}

function checkEbs({ OutpostArn }: EbsBlockDevice): void {
  if (OutpostArn) throw unsupportedParameter('BlockDeviceMapping.Ebs.OutpostArn')
}

/** The disks with their snapshots, which all have to be there, and small enough. */
export async function resolveDisks(
  db: Database,
  owner: Owner,
  wishes: readonly DiskWish[],
): Promise<readonly Disk[]> {
  const ofImage = wishes.flatMap((wish) =>
    wish.isOfImage && wish.snapshotId ? [wish.snapshotId] : [],
  )
  const snapshotsOfImage = await findSnapshots(db, ofImage)
  const disks: Disk[] = []
  for (const wish of wishes) {
    const { snapshotId, isOfImage, ...rest } = wish
    if (!snapshotId) {
      if (wish.sizeGiB === undefined) throw missingParameter('size/snapshot')
      disks.push({ ...rest, sizeGiB: wish.sizeGiB, snapshot: undefined })
      continue
    }
    const found = isOfImage
      ? snapshotsOfImage.find(({ id }) => id === snapshotId)
      : await findUsableSnapshot(db, { ...owner, id: snapshotId })
    if (!found) throw snapshotNotFound(snapshotId)
    const snapshot = requireCompleted(found)
    const sizeGiB = wish.sizeGiB ?? snapshot.volumeSizeGiB
    if (sizeGiB < snapshot.volumeSizeGiB) {
      throw smallerThanSnapshot('InvalidBlockDeviceMapping', sizeGiB, snapshot)
    }
    disks.push({ ...rest, sizeGiB, snapshot })
  }
  return disks
}

const refused = (text: string) => new ApiError('InvalidBlockDeviceMapping', text)
