/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVolume.html */
import type { DeleteVolumeRequest } from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { markRecycled } from '../../recycle-bin/mark.ts'
import { recycleExit } from '../../recycle-bin/retention.ts'
import { writeOperation } from '../../wire/operation.ts'
import { recycleVolume } from '../life-store.ts'
import { findOneVolume } from '../lookup.ts'
import { changeVolumeState, findAttachment } from '../store.ts'

export const deleteVolume = writeOperation<DeleteVolumeRequest, Record<string, never>>({
  action: 'DeleteVolume',
  makesRoom: true,
  async run(call) {
    const { input, tx, now } = call
    const volume = await findOneVolume(tx, call, input.VolumeId)
    const { id, state, accountId, region } = volume
    const attachment = await findAttachment(tx, id)
    if (attachment) {
      throw new ApiError(
        'VolumeInUse',
        `Volume ${id} is currently attached to ${attachment.instanceId}`,
      )
    }
    if (state === 'available') {
      const owned = { accountId, region, id, now }
      const exitAt = await recycleExit(tx, { ...owned, resourceType: 'EBS_VOLUME' })
      if (exitAt && (await recycleVolume(tx, id, { at: now, exitAt }))) {
        await markRecycled(tx, volume, 'volume')
        return {}
      }
    }
    // The files go with the reconciler of volumes. Asking again changes nothing.
    const isDeleted =
      state === 'deleting' ||
      (await changeVolumeState(tx, { id, from: ['available', 'error'], to: 'deleting' }))
    if (isDeleted) return {}
    throw new ApiError('IncorrectState', `The volume '${id}' is in the '${state}' state.`)
  },
})
