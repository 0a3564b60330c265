/** The disks of an image that a call describes by `BlockDeviceMapping.N`. */
import type { BlockDeviceMapping, EbsBlockDevice } from '@aws-sdk/client-ec2'
import type { Database } from '../db/database.ts'
import { ApiError, missingParameter } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'
import { parseSnapshotId, requireCompleted, snapshotNotFound } from '../snapshots/snapshot.ts'
import { findUsableSnapshot } from '../snapshots/store.ts'
import { checkDeviceName } from '../volumes/attachment.ts'
import { checkVolumeShape, type VolumeType, volumeTypes } from '../volumes/volume-type.ts'
import { smallerThanSnapshot } from '../volumes/volume.ts'
import type { BlockDevice, EbsDevice } from './image.ts'

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
  owner: { readonly accountId: string; readonly region: string },
  mapping: BlockDeviceMapping,
): Promise<BlockDevice> {
  const { DeviceName = '', VirtualName, Ebs } = mapping
  checkDeviceName(DeviceName)
  if (!Ebs) return { deviceName: DeviceName, virtualName: parseVirtualName(VirtualName ?? '') }
  checkSupported(Ebs)
  if (Ebs.SnapshotId === undefined) {
    if (Ebs.VolumeSize === undefined) throw missingParameter('size/snapshot')
    return { deviceName: DeviceName, ebs: ebsOf(Ebs, Ebs.VolumeSize) }
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
  const snapshot = requireCompleted(found)
  const sizeGiB = Ebs.VolumeSize ?? snapshot.volumeSizeGiB
  if (sizeGiB < snapshot.volumeSizeGiB) {
    throw smallerThanSnapshot('InvalidBlockDeviceMapping', sizeGiB, snapshot)
  }
  return { deviceName: DeviceName, ebs: { snapshotId: id, ...ebsOf(Ebs, sizeGiB) } }
}

/** A disk as an image of a volume has it. */
export function deviceOfVolume(volume: {
  readonly device: string
  readonly deleteOnTermination: boolean
  readonly snapshotId: Id<'snapshot'>
  readonly sizeGiB: number
  readonly type: VolumeType
  readonly iops: number | undefined
  readonly throughput: number | undefined
}): BlockDevice {
  const { device, snapshotId, deleteOnTermination } = volume
  return { deviceName: device, ebs: { snapshotId, ...shapeOf(volume), deleteOnTermination } }
}

/** Of a disk that the instance has, an image may change only what becomes of it in the end. */
export function checkUnchanged(
  { DeviceName = '', Ebs = {} }: BlockDeviceMapping,
  volume: { readonly sizeGiB: number; readonly type: string },
): void {
  checkSupported(Ebs)
  const isSame =
    Ebs.SnapshotId === undefined &&
    (Ebs.VolumeSize ?? volume.sizeGiB) === volume.sizeGiB &&
    (Ebs.VolumeType ?? volume.type) === volume.type
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

function checkSupported({ Encrypted, KmsKeyId, OutpostArn }: EbsBlockDevice): void {
  if (!Encrypted && KmsKeyId === undefined && OutpostArn === undefined) return
  throw new ApiError(
    'UnsupportedOperation',
    'Encryption and Outposts in a block device mapping are not supported by Imago.',
  )
}
