/** What the calls that take and copy snapshots demand, of the volumes and of the new snapshots. */
import type {
  CopySnapshotRequest,
  CreateSnapshotRequest,
  CreateSnapshotsRequest,
  InstanceSpecification,
  LockSnapshotRequest,
  ModifySnapshotAttributeRequest,
  ModifySnapshotTierRequest,
  ResetSnapshotAttributeRequest,
} from '@aws-sdk/client-ec2'
import type { Demand } from '../iam/demand.ts'
import {
  attributeNamed,
  changesOf,
  ec2Arn,
  type FactsOf,
  granteesOf,
} from '../iam/ec2-resources.ts'
import {
  type Asking,
  copiedTagsDemands,
  demandsOn,
  making,
  placeOf,
  taggingDemands,
} from '../iam/ec2-touched.ts'
import { findOwnInstance } from '../instances/store.ts'
import type { Id } from '../lib/ids.ts'
import { listAttachments, listVolumes } from '../volumes/store.ts'

/** A new snapshot of each of these volumes, or of any where none is found. */
export async function demandsToTake(
  action: string,
  input: unknown,
  volumeIds: readonly string[],
  asking: Asking,
): Promise<readonly Demand[]> {
  const place = placeOf(asking)
  const ids = volumeIds as readonly Id<'volume'>[]
  const volumes = ids.length > 0 ? await listVolumes(asking.db, { ...place, ids }) : []
  const facts = volumes.map(({ id, sizeGiB }): FactsOf<'snapshot'> => ({
    ParentVolume: ec2Arn('volume', place, id),
    VolumeSize: sizeGiB,
  }))
  return (facts.length > 0 ? facts : [{}]).map((one) =>
    making(action, 'snapshot', input, asking, { facts: one }),
  )
}

export const createSnapshotDemands = async (input: CreateSnapshotRequest, asking: Asking) => {
  const action = 'CreateSnapshot'
  const ids = input.VolumeId ? [input.VolumeId] : []
  return [
    ...(await demandsOn(action, 'volume', ids, asking)),
    ...(await demandsToTake(action, input, ids, asking)),
    ...taggingDemands(action, input, asking),
  ]
}

export const createSnapshotsDemands = async (input: CreateSnapshotsRequest, asking: Asking) => {
  const action = 'CreateSnapshots'
  const { InstanceId, ExcludeBootVolume, ExcludeDataVolumeIds } = input.InstanceSpecification ?? {}
  const without = { ExcludeBootVolume, ExcludeDataVolumeIds }
  const ids = await attachedTo(InstanceId, asking, without)
  return [
    ...(await demandsOn(action, 'instance', InstanceId ? [InstanceId] : [], asking)),
    ...(await demandsOn(action, 'volume', ids, asking)),
    ...(await demandsToTake(action, input, ids, asking)),
    ...taggingDemands(action, input, asking),
    ...(input.CopyTagsFromSource === 'volume'
      ? await copiedTagsDemands(action, 'snapshot', ids, asking)
      : []),
  ]
}

/** The volumes of an instance of the caller's own; of others nothing is told. */
export async function attachedTo(
  instanceId: string | undefined,
  asking: Asking,
  { ExcludeBootVolume = false, ExcludeDataVolumeIds = [] }: Partial<InstanceSpecification> = {},
): Promise<readonly string[]> {
  if (!instanceId) return []
  const { db } = asking
  const instance = await findOwnInstance(db, { ...placeOf(asking), id: instanceId })
  if (!instance) return []
  const attached = await listAttachments(db, { instanceIds: [instance.id], states: ['attached'] })
  return attached
    .filter(({ device }) => !(ExcludeBootVolume && device === instance.rootDeviceName))
    .map(({ volumeId }) => volumeId)
    .filter((id) => !ExcludeDataVolumeIds.includes(id))
}

/** The source is demanded where it is, and the copy where the call is made. */
export const copySnapshotDemands = async (input: CopySnapshotRequest, asking: Asking) => {
  const action = 'CopySnapshot'
  const { SourceRegion: region = asking.region, SourceSnapshotId } = input
  const source = SourceSnapshotId ? [SourceSnapshotId] : []
  return [
    ...(await demandsOn(action, 'snapshot', source, { ...asking, region })),
    making(action, 'snapshot', input, asking),
    ...taggingDemands(action, input, asking),
  ]
}

export const modifySnapshotAttributeDemands = (
  input: ModifySnapshotAttributeRequest,
  asking: Asking,
) => {
  const { Attribute = 'createVolumePermission', CreateVolumePermission, OperationType } = input
  const { UserIds = [], GroupNames = [] } = input
  const listed = [
    ...UserIds.map((UserId) => ({ UserId })),
    ...GroupNames.map((Group) => ({ Group })),
  ]
  const changes = changesOf({
    attributes: { [attributeNamed(Attribute)]: undefined },
    add: granteesOf([
      ...(CreateVolumePermission?.Add ?? []),
      ...(OperationType === 'add' ? listed : []),
    ]),
    remove: granteesOf([
      ...(CreateVolumePermission?.Remove ?? []),
      ...(OperationType === 'remove' ? listed : []),
    ]),
  })
  return demandsOn('ModifySnapshotAttribute', 'snapshot', idsOf(input), asking, changes)
}

export const resetSnapshotAttributeDemands = (
  input: ResetSnapshotAttributeRequest,
  asking: Asking,
) => {
  const { Attribute = '' } = input
  const changes = changesOf({ attributes: { [attributeNamed(Attribute)]: undefined } })
  return demandsOn('ResetSnapshotAttribute', 'snapshot', idsOf(input), asking, changes)
}

export const modifySnapshotTierDemands = (input: ModifySnapshotTierRequest, asking: Asking) => {
  const changes = changesOf({ attributes: { StorageTier: input.StorageTier } })
  return demandsOn('ModifySnapshotTier', 'snapshot', idsOf(input), asking, changes)
}

export const lockSnapshotDemands = (input: LockSnapshotRequest, asking: Asking) => {
  const { CoolOffPeriod, LockDuration } = input
  const lock = {
    'ec2:SnapshotCoolOffPeriod': CoolOffPeriod?.toString(),
    'ec2:SnapshotLockDuration': LockDuration?.toString(),
  }
  return demandsOn('LockSnapshot', 'snapshot', idsOf(input), asking, [lock])
}

const idsOf = ({ SnapshotId }: { readonly SnapshotId: string | undefined }) =>
  SnapshotId ? [SnapshotId] : []
