/** The disks of an image that a call describes by `BlockDeviceMapping.N`. */
import type { BlockDeviceMapping, EbsBlockDevice } from '@aws-sdk/client-ec2'
import type { Database } from '../db/database.ts'
import { ApiError, missingParameter, unsupportedParameter } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'
import type { Owner } from '../lib/owner.ts'
import {
  parseSnapshotId,
  requireCompleted,
  type Snapshot,
  snapshotNotFound,
} from '../snapshots/snapshot.ts'
import { listSnapshotPermissions } from '../snapshots/permission-store.ts'
import { findUsableSnapshot } from '../snapshots/store.ts'
import { checkDeviceName } from '../volumes/attachment.ts'
import { checkVolumeShape, type VolumeType, volumeTypes } from '../volumes/volume-type.ts'
import { smallerThanSnapshot, type Volume } from '../volumes/volume.ts'
import type { BlockDevice, EbsDevice } from './image.ts'
import { imageKeyCode, othersSnapshotCode } from './unknowns.ts'

/** What EC2 takes where nobody says of which type a volume shall be. */
const defaultType = 'gp2'

/** The mappings of a call by device. Each device is named once. */
export function byDevice(
  mappings: readonly BlockDeviceMapping[] = [],
): ReadonlyMap<string, BlockDeviceMapping> {
  const found = new Map<string, BlockDeviceMapping>()
  for (const mapping of mappings) {
    if (mapping.DeviceName === undefined) throw missingParameter('deviceName')
    if (found.has(mapping.DeviceName)) {
      throw new ApiError(
        'InvalidBlockDeviceMapping',
        `The device '${mapping.DeviceName}' is used in more than one block-device mapping`,
      )
    }
    found.set(mapping.DeviceName, mapping)
  }
  return found
}

/**
 * Tells whether a mapping leaves its device out. Clients write that as an empty
 * `NoDevice`, and what is empty does not come through: a bare name is left.
 */
export function isOmitted({ NoDevice, Ebs, VirtualName }: BlockDeviceMapping): boolean {
  return NoDevice !== undefined || (!Ebs && VirtualName === undefined)
}

/** A disk that the image did not have so far: of a snapshot, blank, or the host's own. */
export async function readNewDevice(
  db: Database,
  owner: Owner,
  mapping: BlockDeviceMapping,
): Promise<BlockDevice> {
  const { DeviceName = '', VirtualName, Ebs } = mapping
  checkDeviceName(DeviceName)
  if (Ebs && VirtualName !== undefined) {
    throw new ApiError(
      'InvalidBlockDeviceMapping',
      `The device '${DeviceName}' cannot be both a volume and a disk of the host's own`,
    )
  }
  if (!Ebs) return { deviceName: DeviceName, virtualName: parseVirtualName(VirtualName ?? '') }
  checkSupported(Ebs)
  if (Ebs.SnapshotId === undefined) {
    if (Ebs.VolumeSize === undefined) throw missingParameter('size/snapshot')
    const blank = {
      ...ebsOf(Ebs, Ebs.VolumeSize),
      ...(Ebs.Encrypted && { isEncrypted: true as const }),
    }
    return { deviceName: DeviceName, ebs: blank }
  }
  if (Ebs.Encrypted !== undefined) {
    throw new ApiError(
      'InvalidBlockDeviceMapping',
      'Parameter encrypted is invalid. You cannot specify the encrypted flag if specifying a snapshot id in a block device mapping.',
    )
  }
  const id = parseSnapshotId(Ebs.SnapshotId)
  const found = await findUsableSnapshot(db, { ...owner, id })
  if (!found) throw snapshotNotFound(id)
  // What is shared with some can be taken back from them: an image is made of a copy of it.
  if (found.accountId !== owner.accountId && !(await isPublic(db, id))) {
    throw new ApiError(
      othersSnapshotCode,
      `The snapshot '${id}' belongs to another account. Copy it, and make the image of the copy.`,
    )
  }
  const snapshot = requireCompleted(found)
  const sizeGiB = Ebs.VolumeSize ?? snapshot.volumeSizeGiB
  if (sizeGiB < snapshot.volumeSizeGiB) {
    throw smallerThanSnapshot('InvalidBlockDeviceMapping', sizeGiB, snapshot)
  }
  return { deviceName: DeviceName, ebs: { ...diskOfSnapshot(snapshot), ...ebsOf(Ebs, sizeGiB) } }
}

const isPublic = async (db: Database, id: Id<'snapshot'>): Promise<boolean> =>
  (await listSnapshotPermissions(db, id)).includes('all')

/** A disk is encrypted where its snapshot is: no image says otherwise. */
export function diskOfSnapshot({
  id,
  kmsKeyArn,
}: Pick<Snapshot, 'id' | 'kmsKeyArn'>): Pick<EbsDevice, 'snapshotId' | 'isEncrypted'> {
  return { snapshotId: id, ...(kmsKeyArn !== undefined && { isEncrypted: true }) }
}

/** A disk as an image of a volume has it. */
export function deviceOfVolume(volume: {
  readonly device: string
  readonly deleteOnTermination: boolean
  readonly snapshot: Pick<Snapshot, 'id' | 'kmsKeyArn'>
  readonly sizeGiB: number
  readonly type: VolumeType
  readonly iops: number | undefined
  readonly throughput: number | undefined
}): BlockDevice {
  const { device, snapshot, deleteOnTermination } = volume
  const ebs = { ...diskOfSnapshot(snapshot), ...shapeOf(volume), deleteOnTermination }
  return { deviceName: device, ebs }
}

/** Of a disk that the instance has, an image may change only what becomes of it in the end. */
export function checkUnchanged(
  { DeviceName = '', VirtualName, Ebs = {} }: BlockDeviceMapping,
  volume: Pick<Volume, 'sizeGiB' | 'type' | 'iops' | 'throughput' | 'kmsKeyArn'>,
): void {
  checkSupported(Ebs)
  const isSame =
    VirtualName === undefined &&
    Ebs.SnapshotId === undefined &&
    (Ebs.VolumeSize ?? volume.sizeGiB) === volume.sizeGiB &&
    (Ebs.VolumeType ?? volume.type) === volume.type &&
    (Ebs.Iops ?? volume.iops) === volume.iops &&
    (Ebs.Throughput ?? volume.throughput) === volume.throughput &&
    // What is encrypted stays so, even where the mapping says otherwise.
    (!Ebs.Encrypted || volume.kmsKeyArn !== undefined)
  if (isSame) return
  throw new ApiError(
    'InvalidBlockDeviceMapping',
    `Only DeleteOnTermination can be changed of a volume that the instance has: ${DeviceName}`,
  )
}

/** The refusal of volumes where the root is the host's own. */
export function ebsNotSupported(): ApiError {
  return new ApiError(
    'UnsupportedOperation',
    'EBS block device mappings not supported for instance-store AMIs.',
  )
}

function ebsOf(wanted: EbsBlockDevice, sizeGiB: number): EbsDevice {
  const { VolumeType: type = defaultType, Iops: iops, Throughput: throughput } = wanted
  const shape = checkVolumeShape({ type, sizeGiB, iops, throughput })
  return { ...shapeOf(shape), deleteOnTermination: wanted.DeleteOnTermination ?? false }
}

/** Figures are kept where the caller could have said them; those that follow from the size are not. */
function shapeOf({
  type,
  sizeGiB,
  iops,
  throughput,
}: {
  readonly type: VolumeType
  readonly sizeGiB: number
  readonly iops: number | undefined
  readonly throughput: number | undefined
}): Pick<EbsDevice, 'type' | 'sizeGiB' | 'iops' | 'throughput'> {
  const limits = volumeTypes[type]
  return {
    sizeGiB,
    type,
    ...('iops' in limits && iops !== undefined && { iops }),
    ...('throughput' in limits && throughput !== undefined && { throughput }),
  }
}

function parseVirtualName(text: string): string {
  if (/^ephemeral([0-9]|1[0-9]|2[0-3])$/.test(text)) return text
  throw new ApiError(
    'InvalidBlockDeviceMapping',
    `The virtual name '${text}' is not of the form ephemeral0 to ephemeral23`,
  )
}

/** What is said where a volume is made, and no image keeps. */
const ofVolumesOnly = [
  'AvailabilityZone',
  'AvailabilityZoneId',
  'EbsCardIndex',
  'OutpostArn',
  'VolumeInitializationRate',
] as const

function checkSupported(ebs: EbsBlockDevice): void {
  const given = ofVolumesOnly.find((name) => ebs[name] !== undefined)
  if (given !== undefined) throw unsupportedParameter(`BlockDeviceMapping.Ebs.${given}`)
  if (ebs.KmsKeyId === undefined) return
  // Which key it is encrypted with is said by who launches the image.
  throw new ApiError(
    imageKeyCode,
    'The parameter KmsKeyId is not supported in the block device mapping of an image.',
  )
}
