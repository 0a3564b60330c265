/** What the calls that make, change and detach volumes demand. */
import type {
  CopyVolumesRequest,
  CreateVolumeRequest,
  DetachVolumeRequest,
  ModifyVolumeAttributeRequest,
  ModifyVolumeRequest,
} from '@aws-sdk/client-ec2'
import { changesOf, ec2Arn, type FactsOf } from '../iam/ec2-resources.ts'
import { type Asking, demandsOn, making, placeOf, taggingDemands } from '../iam/ec2-touched.ts'
import { isId, type Id } from '../lib/ids.ts'
import { findZone } from '../network/zone.ts'
import { findUsableSnapshot } from '../snapshots/store.ts'
import { findEncryptionSettings } from './encryption-settings-store.ts'
import { findAttachment, findVolume } from './store.ts'
import { defaultVolumeType } from './volume-type.ts'

interface Wish {
  readonly sizeGiB?: number | undefined
  readonly type?: string | undefined
  readonly iops?: number | undefined
  readonly throughput?: number | undefined
  readonly initializationRate?: number | undefined
  readonly encrypted?: boolean | undefined
  readonly keyId?: string | undefined
  readonly snapshotId?: string | undefined
  readonly availabilityZone?: string | undefined
}

/** A volume as it shall be: encrypted also where its snapshot is, or the account wants all so. */
export async function factsOfWish(wish: Wish, asking: Asking): Promise<FactsOf<'volume'>> {
  const { db, region } = asking
  const { snapshotId } = wish
  const place = placeOf(asking)
  const source =
    snapshotId !== undefined && isId('snapshot', snapshotId)
      ? await findUsableSnapshot(db, { ...place, id: snapshotId })
      : undefined
  const isEncrypted = wish.encrypted === true || source?.kmsKeyArn !== undefined
  const { encryptsByDefault } = isEncrypted
    ? { encryptsByDefault: true }
    : await findEncryptionSettings(db, place)
  return {
    AvailabilityZone: wish.availabilityZone,
    Encrypted: isEncrypted || encryptsByDefault,
    KmsKeyId: wish.keyId,
    ParentSnapshot: snapshotId && ec2Arn('snapshot', { ...place, region }, snapshotId),
    VolumeInitializationRate: wish.initializationRate,
    VolumeIops: wish.iops,
    VolumeSize: wish.sizeGiB ?? source?.volumeSizeGiB,
    VolumeThroughput: wish.throughput,
    VolumeType: wish.type ?? defaultVolumeType,
  }
}

export const createVolumeDemands = async (input: CreateVolumeRequest, asking: Asking) => {
  const action = 'CreateVolume'
  const { SnapshotId } = input
  const zone = input.AvailabilityZone ?? input.AvailabilityZoneId
  const facts = await factsOfWish(
    {
      sizeGiB: input.Size,
      type: input.VolumeType,
      iops: input.Iops,
      throughput: input.Throughput,
      initializationRate: input.VolumeInitializationRate,
      encrypted: input.Encrypted,
      keyId: input.KmsKeyId || undefined,
      snapshotId: SnapshotId || undefined,
      availabilityZone: zone && (findZone(asking.region, zone)?.name ?? zone),
    },
    asking,
  )
  return [
    making(action, 'volume', input, asking, { facts }),
    ...(SnapshotId ? await demandsOn(action, 'snapshot', [SnapshotId], asking) : []),
    ...taggingDemands(action, input, asking),
  ]
}

export const copyVolumesDemands = async (input: CopyVolumesRequest, asking: Asking) => {
  const action = 'CopyVolumes'
  const { SourceVolumeId = '' } = input
  const id = SourceVolumeId as Id<'volume'>
  const source = await findVolume(asking.db, { ...placeOf(asking), id })
  const wished = await factsOfWish(
    {
      sizeGiB: input.Size ?? source?.sizeGiB,
      type: input.VolumeType,
      iops: input.Iops,
      throughput: input.Throughput,
      encrypted: input.Encrypted === true || source?.kmsKeyArn !== undefined,
      keyId: input.KmsKeyId || undefined,
      availabilityZone: source?.availabilityZone,
    },
    asking,
  )
  const facts = { ...wished, ParentVolume: source && ec2Arn('volume', source, source.id) }
  return [
    ...(await demandsOn(action, 'volume', SourceVolumeId ? [SourceVolumeId] : [], asking)),
    making(action, 'volume', input, asking, { facts }),
    ...taggingDemands(action, input, asking),
  ]
}

/** The instance too, whether the call names it or not. */
export const detachVolumeDemands = async (input: DetachVolumeRequest, asking: Asking) => {
  const { InstanceId, VolumeId = '' } = input
  const place = placeOf(asking)
  const volume = await findVolume(asking.db, { ...place, id: VolumeId as Id<'volume'> })
  const attachment = volume && (await findAttachment(asking.db, volume.id))
  const instances = InstanceId ?? attachment?.instanceId
  return [
    ...(await demandsOn('DetachVolume', 'volume', VolumeId ? [VolumeId] : [], asking)),
    ...(instances ? await demandsOn('DetachVolume', 'instance', [instances], asking) : []),
  ]
}

export const modifyVolumeDemands = (input: ModifyVolumeRequest, asking: Asking) => {
  const { VolumeId, Iops, Size, Throughput, VolumeType } = input
  const changes = changesOf({ attributes: given({ Iops, Size, Throughput, VolumeType }) })
  return demandsOn('ModifyVolume', 'volume', VolumeId ? [VolumeId] : [], asking, changes)
}

export const modifyVolumeAttributeDemands = (
  { VolumeId, AutoEnableIO }: ModifyVolumeAttributeRequest,
  asking: Asking,
) => {
  const changes = changesOf({ attributes: { AutoEnableIO: AutoEnableIO?.Value } })
  return demandsOn('ModifyVolumeAttribute', 'volume', VolumeId ? [VolumeId] : [], asking, changes)
}

const given = <T>(members: Readonly<Record<string, T | undefined>>): Readonly<Record<string, T>> =>
  Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  )
