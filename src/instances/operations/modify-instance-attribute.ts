/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html */
import type { ModifyInstanceAttributeRequest } from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { modifyInstanceAttributeDemands } from '../demands.ts'
import { checkNotEnding } from '../instance.ts'
import { findOneInstance } from '../lookup.ts'
import { modify, readModification } from '../modify.ts'

export const modifyInstanceAttribute = writeOperation<ModifyInstanceAttributeRequest, undefined>({
  action: 'ModifyInstanceAttribute',
  demands: modifyInstanceAttributeDemands,

  async run(call) {
    const modification = readModification(call.input)
    const instance = await findOneInstance(call.tx, call, call.input.InstanceId ?? '')
    checkNotEnding(instance)
    await modify(call, instance, modification)
    return undefined
  },
})
