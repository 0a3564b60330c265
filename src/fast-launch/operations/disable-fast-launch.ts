/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DisableFastLaunch.html */
import type { DisableFastLaunchRequest, DisableFastLaunchResult } from '@aws-sdk/client-ec2'
import { visibleImage } from '../../images/find.ts'
import { imageBusy, parseImageId } from '../../images/image.ts'
import { ApiError } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { userInitiated } from '../fast-launch.ts'
import { changeFastLaunch, findFastLaunch } from '../store.ts'
import { stateCode } from '../unknowns.ts'
import { viewFastLaunch } from '../view.ts'

export const disableFastLaunch = writeOperation<DisableFastLaunchRequest, DisableFastLaunchResult>({
  action: 'DisableFastLaunch',
  async run({ input, tx, caller, region, now }) {
    const { accountId } = caller
    const imageId = parseImageId(input.ImageId ?? '')
    const found = await findFastLaunch(tx, { imageId, accountId })
    if (found?.region !== region) {
      await visibleImage(tx, { accountId, region, id: imageId, now })
      throw new ApiError(stateCode, `Fast launch is not enabled for the image '${imageId}'.`)
    }
    const isForced = found.isForced || input.Force === true
    const isNew = found.state !== 'disabling'
    const to = {
      state: 'disabling',
      stateSince: isNew ? now : found.stateSince,
      reason: isNew ? userInitiated : found.reason,
      isForced,
    } as const
    if (!(await changeFastLaunch(tx, found, to))) throw imageBusy(imageId)
    return viewFastLaunch({ ...found, ...to })
  },
})
