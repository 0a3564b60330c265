/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ResetImageAttribute.html */
import type { ResetImageAttributeRequest } from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { resetImageAttributeDemands } from '../demands.ts'
import { ownImage } from '../find.ts'
import { unknownImageAttribute } from '../image.ts'
import { removeLaunchPermissions } from '../permission-store.ts'

export const resetImageAttribute = writeOperation<ResetImageAttributeRequest, { Return: boolean }>({
  action: 'ResetImageAttribute',
  demands: resetImageAttributeDemands,
  async run({ input, tx, caller, region }) {
    if (input.Attribute !== 'launchPermission') throw unknownImageAttribute()
    const { accountId } = caller
    const { id } = await ownImage(tx, { accountId, region, id: input.ImageId })
    await removeLaunchPermissions(tx, id)
    return { Return: true }
  },
})
