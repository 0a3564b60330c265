/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ResetInstanceAttribute.html */
import type { ResetInstanceAttributeRequest } from '@aws-sdk/client-ec2'
import { invalidParameterValue } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { checkNotEnding } from '../instance.ts'
import { unsupportedParameter } from '../launch-request.ts'
import { findOneInstance } from '../lookup.ts'
import { changeInstance } from '../store.ts'

export const resetInstanceAttribute = writeOperation<ResetInstanceAttributeRequest, undefined>({
  action: 'ResetInstanceAttribute',

  async run(call) {
    const { InstanceId = '', Attribute = '' } = call.input
    const instance = await findOneInstance(call.tx, call, InstanceId)
    checkNotEnding(instance)
    if (Attribute === 'sourceDestCheck') {
      await changeInstance(call.tx, instance.id, { hasSourceDestCheck: true })
      return undefined
    }
    // A machine here boots by its own disk, and has neither.
    if (Attribute === 'kernel' || Attribute === 'ramdisk') throw unsupportedParameter(Attribute)
    throw invalidParameterValue('attribute', Attribute, 'This attribute cannot be reset.')
  },
})
