/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVolumeAttribute.html */
import type {
  DescribeVolumeAttributeRequest,
  DescribeVolumeAttributeResult,
} from '@aws-sdk/client-ec2'
import { invalidParameterValue } from '../../lib/errors.ts'
import { readOperation } from '../../wire/operation.ts'
import { findOneVolume } from '../lookup.ts'
import { readAutoEnableIO } from '../store.ts'

export const describeVolumeAttribute = readOperation<
  DescribeVolumeAttributeRequest,
  DescribeVolumeAttributeResult
>({
  action: 'DescribeVolumeAttribute',
  async run(call) {
    const { input, db } = call
    const { id: VolumeId } = await findOneVolume(db, call, input.VolumeId)
    const attribute: string = input.Attribute ?? ''
    if (attribute === 'productCodes') return { VolumeId, ProductCodes: [] }
    if (attribute === 'autoEnableIO') {
      return { VolumeId, AutoEnableIO: { Value: await readAutoEnableIO(db, VolumeId) } }
    }
    throw invalidParameterValue('attribute', attribute, 'Unknown attribute.')
  },
})
