/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableImageDeprecation.html */
import type { EnableImageDeprecationRequest } from '@aws-sdk/client-ec2'
import { missingParameter } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { deprecationTime } from '../deprecation.ts'
import { ownImage } from '../find.ts'
import { imageBusy } from '../image.ts'
import { setDeprecation } from '../life-store.ts'

export const enableImageDeprecation = writeOperation<
  EnableImageDeprecationRequest,
  { Return: boolean }
>({
  action: 'EnableImageDeprecation',
  async run({ input, tx, caller, region, now }) {
    if (!input.DeprecateAt) throw missingParameter('deprecateAt')
    const { accountId } = caller
    const image = await ownImage(tx, { accountId, region, id: input.ImageId })
    const at = deprecationTime(image, input.DeprecateAt, now)
    if (!(await setDeprecation(tx, image, at))) throw imageBusy(image.id)
    return { Return: true }
  },
})
