/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVolume.html */
import type { ModifyVolumeRequest, ModifyVolumeResult } from '@aws-sdk/client-ec2'
import { findInstance } from '../../instances/store.ts'
import { ApiError, unsupportedParameter } from '../../lib/errors.ts'
import { modifyVolumeDemands } from '../../volumes/demands.ts'
import { findOneVolume } from '../../volumes/lookup.ts'
import { findAttachment, setVolumeShape } from '../../volumes/store.ts'
import type { Volume } from '../../volumes/volume.ts'
import {
  checkBootType,
  checkVolumeShape,
  isVolumeType,
  volumeTypes,
} from '../../volumes/volume-type.ts'
import { writeOperation } from '../../wire/operation.ts'
import { checkModifiable, type Modification } from '../modification.ts'
import { insertModification, listModificationsOf } from '../store.ts'
import { noChangeCode } from '../unknowns.ts'
import { viewModification } from '../view.ts'

/** What a volume gets that becomes of a type with provisioned speed, where nothing is said. */
const defaultIops = 3000

export const modifyVolume = writeOperation<ModifyVolumeRequest, ModifyVolumeResult>({
  action: 'ModifyVolume',
  demands: modifyVolumeDemands,
  async run(call) {
    const { input, tx, now } = call
    if (input.MultiAttachEnabled) throw unsupportedParameter('MultiAttachEnabled')
    const volume = await findOneVolume(tx, call, input.VolumeId)
    const { id, accountId, region, state, sizeGiB, type, iops, throughput } = volume
    if (state !== 'available' && state !== 'in-use') {
      throw new ApiError(
        'IncorrectState',
        `The volume '${id}' must be in the available or in-use state to be modified.`,
      )
    }
    const target = checkVolumeShape(wishOf(input, volume))
    const attachment = await findAttachment(tx, id)
    const instance = attachment && (await findInstance(tx, attachment.instanceId))
    if (instance && instance.rootDeviceName === attachment.device) checkBootType(target.type)
    const earlier = await listModificationsOf(tx, id)
    checkModifiable(id, earlier, now)
    const modification: Modification = {
      volumeId: id,
      number: (earlier.at(-1)?.number ?? 0) + 1,
      accountId,
      region,
      state: 'modifying',
      message: undefined,
      original: { sizeGiB, type, iops, throughput },
      target,
      startedAt: now,
      endedAt: undefined,
    }
    await insertModification(tx, modification)
    await setVolumeShape(tx, id, target)
    return { VolumeModification: viewModification(modification) }
  },
})

/** What the caller leaves open stays, as far as the type that it names can have it. */
function wishOf(input: ModifyVolumeRequest, volume: Volume) {
  const { Size, VolumeType, Iops, Throughput } = input
  if ([Size, VolumeType, Iops, Throughput].every((one) => one === undefined)) {
    throw new ApiError(
      noChangeCode,
      'At least one of size, volumeType, iops and throughput is needed.',
    )
  }
  if (Size !== undefined && Size < volume.sizeGiB) {
    throw new ApiError('InvalidParameterValue', 'New size cannot be smaller than existing size')
  }
  const type = VolumeType ?? volume.type
  const isSame = type === volume.type
  const isProvisioned = isVolumeType(type) && 'iops' in volumeTypes[type]
  const keptIops = isProvisioned ? (isSame ? volume.iops : defaultIops) : undefined
  const isFast = isVolumeType(type) && 'throughput' in volumeTypes[type]
  return {
    sizeGiB: Size ?? volume.sizeGiB,
    type,
    iops: Iops ?? keptIops,
    throughput: Throughput ?? (isFast && isSame ? volume.throughput : undefined),
  }
}
