/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RebootInstances.html */
import type { RebootInstancesRequest } from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { afterRequest } from '../instance.ts'
import { findInstances } from '../lookup.ts'
import { bumpReboots } from '../store.ts'

export const rebootInstances = writeOperation<RebootInstancesRequest, undefined>({
  action: 'RebootInstances',

  async run(call) {
    const instances = await findInstances(call.tx, call, call.input.InstanceIds ?? [])
    for (const instance of instances) afterRequest(instance, 'reboot')
    for (const { id } of instances) await bumpReboots(call.tx, id)
    return undefined
  },
})
