/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataOptions.html */
import type {
  ModifyInstanceMetadataOptionsRequest,
  ModifyInstanceMetadataOptionsResult,
} from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { modifyInstanceMetadataOptionsDemands } from '../demands.ts'
import { checkNotEnding } from '../instance.ts'
import { findOneInstance } from '../lookup.ts'
import { withMetadataOptions } from '../metadata-options.ts'
import { changeInstance } from '../store.ts'
import { viewMetadataOptions } from '../view.ts'

export const modifyInstanceMetadataOptions = writeOperation<
  ModifyInstanceMetadataOptionsRequest,
  ModifyInstanceMetadataOptionsResult
>({
  action: 'ModifyInstanceMetadataOptions',
  demands: modifyInstanceMetadataOptionsDemands,

  async run(call) {
    const instance = await findOneInstance(call.tx, call, call.input.InstanceId ?? '')
    checkNotEnding(instance)
    const metadataOptions = withMetadataOptions(instance.metadataOptions, call.input)
    await changeInstance(call.tx, instance.id, { metadataOptions })
    return {
      InstanceId: instance.id,
      InstanceMetadataOptions: viewMetadataOptions(metadataOptions),
    }
  },
})
