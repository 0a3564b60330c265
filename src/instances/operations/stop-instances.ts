/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StopInstances.html */
import type { StopInstancesRequest, StopInstancesResult } from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { userInitiated } from '../cause.ts'
import { parseInstanceId } from '../instance.ts'
import { unsupportedParameter } from '../launch-request.ts'
import { checkUnprotected, requestChange } from '../request-change.ts'
import { forceStop } from '../store.ts'

export const stopInstances = writeOperation<StopInstancesRequest, StopInstancesResult>({
  action: 'StopInstances',

  async run(call) {
    const { InstanceIds: ids = [], Hibernate, Force, SkipOsShutdown } = call.input
    if (Hibernate) throw unsupportedParameter('Hibernate')
    const isStopForced = Force === true || SkipOsShutdown === true
    const { changes } = await requestChange(call, {
      request: 'stop',
      ids,
      cause: userInitiated(call.now),
      isStopForced,
      check: (instance) =>
        checkUnprotected(instance, 'stopped', { disableApiStop: instance.isStopDisabled }),
    })
    // Who loses patience with a stop that is under way may force it.
    if (isStopForced) for (const id of ids) await forceStop(call.tx, parseInstanceId(id))
    return { StoppingInstances: changes }
  },
})
