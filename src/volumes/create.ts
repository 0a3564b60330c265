/** Records a volume that shall be: for `CreateVolume`, `CopyVolumes` and the disks of an instance. */
import { findFastRestore } from '../fast-restores/store.ts'
import type { Digest } from '../lib/digest.ts'
import type { Id } from '../lib/ids.ts'
import { putTags } from '../tags/store.ts'
import type { Tag } from '../tags/tag.ts'
import type { WriteCall } from '../wire/operation.ts'
import type { Encryption } from './encryption.ts'
import { insertVolume } from './store.ts'
import { checkInitializationRate, checkVolumeShape } from './volume-type.ts'
import { smallerThanSnapshot, smallerThanSource, type Volume } from './volume.ts'

type Call = Pick<WriteCall<unknown>, 'tx' | 'now' | 'newId' | 'caller' | 'region'>

/** A completed snapshot, as far as a volume needs it. */
interface Source {
  readonly id: Id<'snapshot'>
  readonly volumeSizeGiB: number
  readonly manifest: Digest
  readonly kmsKeyArn?: string
}

/** Inserts the row in state `creating`. The reconciler of volumes makes the files. */
export async function createVolume(
  { tx, now, newId, caller, region }: Call,
  wanted: {
    readonly sizeGiB: number
    readonly type: string
    readonly iops?: number | undefined
    readonly throughput?: number | undefined
    readonly initializationRate?: number | undefined
    readonly availabilityZone: string
    readonly snapshot?: Source | undefined
    /** What it shall be a copy of: who calls this has a moment of it taken. */
    readonly copyOf?: Pick<Volume, 'id' | 'sizeGiB'> | undefined
    readonly encryption?: Encryption | undefined
    readonly tags?: readonly Tag[] | undefined
  },
): Promise<Volume> {
  const { snapshot, copyOf, encryption, initializationRate, tags = [] } = wanted
  const shape = checkVolumeShape(wanted)
  if (snapshot && shape.sizeGiB < snapshot.volumeSizeGiB) {
    throw smallerThanSnapshot('InvalidParameterValue', shape.sizeGiB, snapshot)
  }
  if (copyOf && shape.sizeGiB < copyOf.sizeGiB) throw smallerThanSource(shape.sizeGiB, copyOf)
  checkInitializationRate(initializationRate, snapshot !== undefined)
  const { accountId } = caller
  const key = { zone: wanted.availabilityZone, accountId }
  const restore = snapshot && (await findFastRestore(tx, { ...key, snapshotId: snapshot.id }))
  const isSameKey = encryption?.arn === snapshot?.kmsKeyArn
  const volume: Volume = {
    id: newId('volume'),
    accountId,
    region,
    availabilityZone: wanted.availabilityZone,
    ...shape,
    ...(initializationRate !== undefined && { initializationRate }),
    ...(restore?.state === 'enabled' && { isFastRestored: true as const }),
    snapshotId: snapshot?.id,
    ...(copyOf && { sourceVolumeId: copyOf.id }),
    state: encryption?.problem === undefined ? 'creating' : 'error',
    ...(encryption?.problem !== undefined && { stateMessage: encryption.problem }),
    createdAt: now,
    baseManifest: snapshot?.manifest,
    knownLayer: 0,
    // Under another key the same content has other names.
    knownManifest: isSameKey ? snapshot?.manifest : undefined,
    knownSnapshotId: isSameKey ? snapshot?.id : undefined,
    ...(encryption && { kmsKeyArn: encryption.arn }),
    ...(snapshot?.kmsKeyArn !== undefined && { baseKmsKeyArn: snapshot.kmsKeyArn }),
  }
  await insertVolume(tx, volume)
  await putTags(tx, { accountId, region, resourceType: 'volume', resourceId: volume.id, tags })
  return volume
}
