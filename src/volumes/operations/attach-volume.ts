/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachVolume.html */
import type { AttachVolumeRequest, VolumeAttachment } from '@aws-sdk/client-ec2'
import { ApiError, unsupportedParameter } from '../../lib/errors.ts'
import { instanceNotFound, parseInstanceId } from '../../instances/instance.ts'
import { hasHostRoot, volumesMaxOf } from '../../instances/instance-store.ts'
import { findOwnInstance } from '../../instances/store.ts'
import { writeOperation } from '../../wire/operation.ts'
import {
  type Attachment,
  checkAttachmentCount,
  checkDeviceIsFree,
  checkDeviceName,
} from '../attachment.ts'
import { findOneVolume } from '../lookup.ts'
import { changeVolumeState, findAttachment, insertAttachment, listAttachments } from '../store.ts'
import { viewAttachment } from '../view.ts'

export const attachVolume = writeOperation<AttachVolumeRequest, VolumeAttachment>({
  action: 'AttachVolume',
  async run(call) {
    const { input, tx, caller, region, now } = call
    const { InstanceId = '', Device: device = '' } = input
    const instanceId = parseInstanceId(InstanceId)
    const volume = await findOneVolume(tx, call, input.VolumeId)
    checkDeviceName(device)
    // Machines have one card for volumes, which is the first.
    if (input.EbsCardIndex) throw unsupportedParameter('EbsCardIndex')
    const owner = { accountId: caller.accountId, region }
    const instance = await findOwnInstance(tx, { ...owner, id: instanceId })
    if (!instance) throw instanceNotFound([instanceId])
    if (await findAttachment(tx, volume.id)) {
      throw new ApiError('VolumeInUse', `${volume.id} is already attached to an instance`)
    }
    if (instance.availabilityZone !== volume.availabilityZone) {
      throw new ApiError(
        'InvalidVolume.ZoneMismatch',
        `The volume '${volume.id}' is not in the same availability zone as instance '${instanceId}'`,
      )
    }
    if (instance.state !== 'running' && instance.state !== 'stopped') {
      throw new ApiError('IncorrectState', `Instance '${instanceId}' is not 'running'.`)
    }
    const others = await listAttachments(tx, { instanceIds: [instanceId] })
    const taken = hasHostRoot(instance) ? [{ device: instance.rootDeviceName }] : []
    checkDeviceIsFree(device, [...others, ...taken])
    checkAttachmentCount(others.length + 1, volumesMaxOf(instance))
    const change = { id: volume.id, from: 'available', to: 'in-use' } as const
    if (!(await changeVolumeState(tx, change))) {
      throw new ApiError('IncorrectState', `${volume.id} is not 'available'.`)
    }
    const attachment: Attachment = {
      volumeId: volume.id,
      instanceId,
      device,
      state: 'attaching',
      isDetachForced: false,
      deleteOnTermination: false,
      attachedAt: now,
    }
    await insertAttachment(tx, attachment)
    return viewAttachment(attachment)
  },
})
