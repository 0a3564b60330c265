/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopyVolumes.html */
import type { CopyVolumesRequest, CopyVolumesResult } from '@aws-sdk/client-ec2'
import { ApiError, missingParameter, unsupportedParameter } from '../../lib/errors.ts'
import { isId } from '../../lib/ids.ts'
import { findSnapshotOfCopy } from '../../snapshots/copy-store.ts'
import { areFrozen } from '../../snapshots/frozen.ts'
import { takeSnapshots } from '../../snapshots/take.ts'
import { tagsOnCreate } from '../../tags/on-create.ts'
import { writeOperation } from '../../wire/operation.ts'
import { createVolume } from '../create.ts'
import { copyVolumesDemands } from '../demands.ts'
import { requireEncryption } from '../encryption.ts'
import { findOneVolume } from '../lookup.ts'
import { findAttachment } from '../store.ts'
import { notCopyableCode } from '../unknowns.ts'
import { viewVolume } from '../view.ts'
import { defaultVolumeType } from '../volume-type.ts'

export const copyVolumes = writeOperation<CopyVolumesRequest, CopyVolumesResult>({
  action: 'CopyVolumes',
  demands: copyVolumesDemands,
  // The point in time is that of the call.
  async answerAfter(db, { Volumes: [copy] = [] }) {
    const { VolumeId = '' } = copy ?? {}
    const moment = isId('volume', VolumeId) ? await findSnapshotOfCopy(db, VolumeId) : undefined
    return !moment || (await areFrozen(db, [moment.id]))
  },

  async run(call) {
    const { input, tx } = call
    if (input.MultiAttachEnabled) throw unsupportedParameter('MultiAttachEnabled')
    if (!input.SourceVolumeId) throw missingParameter('SourceVolumeId')
    const tags = tagsOnCreate(input.TagSpecifications, ['volume']).get('volume') ?? []
    const source = await findOneVolume(tx, call, input.SourceVolumeId)
    if (source.state !== 'available' && source.state !== 'in-use') {
      throw new ApiError(
        notCopyableCode,
        `The volume '${source.id}' is not 'available' or 'in-use', it is '${source.state}'.`,
      )
    }
    const encryption = await requireEncryption(call, {
      encrypted: input.Encrypted,
      keyId: input.KmsKeyId,
      source,
    })
    const { Iops: iops, Throughput: throughput } = input
    const { Size: sizeGiB = source.sizeGiB, VolumeType: type = defaultVolumeType } = input
    const volume = await createVolume(call, {
      sizeGiB,
      type,
      iops,
      throughput,
      tags,
      availabilityZone: source.availabilityZone,
      copyOf: source,
      encryption,
    })
    const attachment = await findAttachment(tx, source.id)
    await takeSnapshots(call, {
      instanceId: attachment?.instanceId,
      withReboot: false,
      volumes: [
        { volume: source, description: `For ${volume.id}`, tags: [], copyVolumeId: volume.id },
      ],
    })
    return { Volumes: [viewVolume({ volume, attachment: undefined, tags })] }
  },
})
