/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html */
import type { CreateVolumeRequest, Volume } from '@aws-sdk/client-ec2'
import { missingParameter, unsupportedParameter } from '../../lib/errors.ts'
import { findZone, namedZone, zoneNotFound } from '../../network/zone.ts'
import { parseSnapshotId, requireCompleted, snapshotNotFound } from '../../snapshots/snapshot.ts'
import { findUsableSnapshot } from '../../snapshots/store.ts'
import { tagsOnCreate } from '../../tags/on-create.ts'
import { type WriteCall, writeOperation } from '../../wire/operation.ts'
import { createVolume as recordVolume } from '../create.ts'
import { createVolumeDemands } from '../demands.ts'
import { requireEncryption } from '../encryption.ts'
import { viewVolume } from '../view.ts'
import { defaultVolumeType } from '../volume-type.ts'

export const createVolume = writeOperation<CreateVolumeRequest, Volume>({
  action: 'CreateVolume',
  demands: createVolumeDemands,
  async run(call) {
    const { input, region } = call
    if (input.MultiAttachEnabled) throw unsupportedParameter('MultiAttachEnabled')
    if (input.OutpostArn) throw unsupportedParameter('OutpostArn')
    if (input.Operator) throw unsupportedParameter('Operator')
    const tags = tagsOnCreate(input.TagSpecifications, ['volume']).get('volume') ?? []
    const wantedZone = namedZone(input)
    if (!wantedZone) throw missingParameter('AvailabilityZone')
    const zone = findZone(region, wantedZone)
    if (!zone) throw zoneNotFound(wantedZone)
    const snapshot = await findSource(call)
    const sizeGiB = input.Size ?? snapshot?.volumeSizeGiB
    if (sizeGiB === undefined) throw missingParameter('size/snapshot')
    const encryption = await requireEncryption(call, {
      encrypted: input.Encrypted,
      keyId: input.KmsKeyId,
      source: snapshot,
    })
    const { VolumeType: type = defaultVolumeType, Iops: iops, Throughput: throughput } = input
    const initializationRate = input.VolumeInitializationRate
    const wanted = {
      sizeGiB,
      type,
      iops,
      throughput,
      initializationRate,
      snapshot,
      tags,
      encryption,
    }
    const volume = await recordVolume(call, { ...wanted, availabilityZone: zone.name })
    return viewVolume({ volume, attachment: undefined, tags })
  },
})

async function findSource({ input, tx, caller, region }: WriteCall<CreateVolumeRequest>) {
  if (!input.SnapshotId) return undefined
  const id = parseSnapshotId(input.SnapshotId)
  const found = await findUsableSnapshot(tx, { accountId: caller.accountId, region, id })
  if (!found) throw snapshotNotFound(id)
  return requireCompleted(found)
}
