/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachVolume.html */
import type { DetachVolumeRequest, VolumeAttachment } from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { parseInstanceId } from '../../instances/instance.ts'
import { findInstance } from '../../instances/store.ts'
import { writeOperation } from '../../wire/operation.ts'
import type { Attachment } from '../attachment.ts'
import { detachVolumeDemands } from '../demands.ts'
import { findOneVolume } from '../lookup.ts'
import { changeAttachmentState, findAttachment } from '../store.ts'
import { viewAttachment } from '../view.ts'

export const detachVolume = writeOperation<DetachVolumeRequest, VolumeAttachment>({
  action: 'DetachVolume',
  demands: detachVolumeDemands,
  async run(call) {
    const { input, tx } = call
    const { id, state } = await findOneVolume(tx, call, input.VolumeId)
    const attachment = await findAttachment(tx, id)
    if (!attachment) {
      throw new ApiError('IncorrectState', `Volume '${id}' is in the '${state}' state.`)
    }
    checkNamed(attachment, input)
    const { instanceId, device } = attachment
    const instance = await findInstance(tx, instanceId)
    const isRoot = instance?.rootDeviceName === device
    if (isRoot && instance.state !== 'stopped' && instance.state !== 'terminated') {
      throw new ApiError(
        'OperationNotPermitted',
        `Unable to detach root volume '${id}' from instance '${instanceId}'`,
      )
    }
    const isDetachForced = input.Force ?? false
    // A detachment that the guest does not answer can still be forced.
    const from = isDetachForced
      ? (['attaching', 'attached', 'detaching'] as const)
      : (['attaching', 'attached'] as const)
    const change = { volumeId: id, from, to: 'detaching', isDetachForced } as const
    if (!(await changeAttachmentState(tx, change))) {
      throw new ApiError('IncorrectState', `Volume '${id}' is in the '${attachment.state}' state.`)
    }
    return viewAttachment(attachment, 'detaching')
  },
})

/** The instance and the device are optional, and have to be right where they are said. */
function checkNamed(attachment: Attachment, input: DetachVolumeRequest): void {
  const { volumeId, instanceId, device } = attachment
  const isOther = input.InstanceId && parseInstanceId(input.InstanceId) !== instanceId
  if (!isOther && (!input.Device || input.Device === device)) return
  const where = [input.InstanceId, input.Device].filter(Boolean).join(' as device ')
  throw new ApiError(
    'InvalidAttachment.NotFound',
    `The volume '${volumeId}' is not attached to ${where}`,
  )
}
