/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVolume.html */
import type { DeleteVolumeRequest } from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { findOneVolume } from '../lookup.ts'
import { changeVolumeState, findAttachment } from '../store.ts'

export const deleteVolume = writeOperation<DeleteVolumeRequest, Record<string, never>>({
  action: 'DeleteVolume',
  async run(call) {
    const { input, tx } = call
    const { id, state } = await findOneVolume(tx, call, input.VolumeId)
    const attachment = await findAttachment(tx, id)
    if (attachment) {
      throw new ApiError(
        'VolumeInUse',
        `Volume ${id} is currently attached to ${attachment.instanceId}`,
      )
    }
    // The files go with the reconciler of volumes. Asking again changes nothing.
    const isDeleted =
      state === 'deleting' ||
      (await changeVolumeState(tx, { id, from: ['available', 'error'], to: 'deleting' }))
    if (isDeleted) return {}
    throw new ApiError('IncorrectState', `The volume '${id}' is in the '${state}' state.`)
  },
})
