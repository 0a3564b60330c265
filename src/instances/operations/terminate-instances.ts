/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TerminateInstances.html */
import type { TerminateInstancesRequest, TerminateInstancesResult } from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { userInitiated } from '../cause.ts'
import { checkUnprotected, requestChange } from '../request-change.ts'

export const terminateInstances = writeOperation<
  TerminateInstancesRequest,
  TerminateInstancesResult
>({
  action: 'TerminateInstances',
  makesRoom: true,

  async run(call) {
    const { changes } = await requestChange(call, {
      request: 'terminate',
      ids: call.input.InstanceIds ?? [],
      cause: userInitiated(call.now),
      check: (instance) =>
        // What may not be stopped may not be terminated either.
        checkUnprotected(instance, 'terminated', {
          disableApiTermination: instance.isTerminationDisabled,
          disableApiStop: instance.isStopDisabled,
        }),
    })
    return { TerminatingInstances: changes }
  },
})
