/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceImageInstanceTypeSpecification.html */
import type { ReplaceImageInstanceTypeSpecificationRequest } from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { ownImage } from '../find.ts'
import { imageUnavailable } from '../image.ts'
import { readInstanceTypes } from '../instance-types.ts'
import { setInstanceTypes } from '../life-store.ts'

export const replaceImageInstanceTypeSpecification = writeOperation<
  ReplaceImageInstanceTypeSpecificationRequest,
  { ReturnValue: boolean }
>({
  action: 'ReplaceImageInstanceTypeSpecification',
  async run({ input, tx, caller, region }) {
    const { accountId } = caller
    const types = readInstanceTypes(input.InstanceTypeSpecification)
    const image = await ownImage(tx, { accountId, region, id: input.ImageId })
    if (!(await setInstanceTypes(tx, image, types))) throw imageUnavailable(image.id)
    return { ReturnValue: true }
  },
})
