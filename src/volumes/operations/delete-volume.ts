/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVolume.html */
import type { DeleteVolumeRequest } from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { discardVolume } from '../discard.ts'
import { findOneVolume } from '../lookup.ts'
import { findAttachment } from '../store.ts'

export const deleteVolume = writeOperation<DeleteVolumeRequest, Record<string, never>>({
  action: 'DeleteVolume',
  makesRoom: true,
  async run(call) {
    const { input, tx, now } = call
    const volume = await findOneVolume(tx, call, input.VolumeId)
    const { id, state } = volume
    const attachment = await findAttachment(tx, id)
    if (attachment) {
      throw new ApiError(
        'VolumeInUse',
        `Volume ${id} is currently attached to ${attachment.instanceId}`,
      )
    }
    // The files go with the reconciler of volumes. Asking again changes nothing.
    if (state === 'deleting') return {}
    const isFree = state === 'available' || state === 'error'
    if (isFree && (await discardVolume(tx, volume, now))) return {}
    throw new ApiError('IncorrectState', `The volume '${id}' is in the '${state}' state.`)
  },
})
