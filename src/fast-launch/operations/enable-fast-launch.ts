/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableFastLaunch.html */
import type { EnableFastLaunchRequest, EnableFastLaunchResult } from '@aws-sdk/client-ec2'
import { visibleImage } from '../../images/find.ts'
import { type Image, imageBusy, imageUnavailable } from '../../images/image.ts'
import { ApiError, invalidParameterValue, unsupportedParameter } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { type FastLaunch, userInitiated } from '../fast-launch.ts'
import { enableDemands } from '../launch-ahead.ts'
import { changeFastLaunch, findFastLaunch, insertFastLaunch } from '../store.ts'
import {
  countMax,
  notWindowsCode,
  parallelDefault,
  stateCode,
  targetCountDefault,
} from '../unknowns.ts'
import { viewFastLaunch } from '../view.ts'

export const enableFastLaunch = writeOperation<EnableFastLaunchRequest, EnableFastLaunchResult>({
  action: 'EnableFastLaunch',
  demands: enableDemands,
  async run({ input, tx, caller, region, now }) {
    const { accountId } = caller
    const wish = readWish(input)
    const image = await visibleImage(tx, { accountId, region, id: input.ImageId, now })
    checkImage(image)
    const start = { state: 'enabling', stateSince: now, reason: userInitiated, ...wish } as const
    const made: FastLaunch = { imageId: image.id, accountId, region, isForced: false, ...start }
    await insertFastLaunch(tx, made)
    const found = await findFastLaunch(tx, made)
    if (!found) throw imageBusy(image.id)
    if (found.state === 'disabling') {
      throw new ApiError(stateCode, `Fast launch is being disabled for the image '${image.id}'.`)
    }
    // To ask again changes how much is kept, and begins anew what has failed.
    const isAnew =
      found.state.endsWith('-failed') ||
      found.targetCount < wish.targetCount ||
      found.stateSince.getTime() === now.getTime()
    const to = isAnew
      ? { ...start, isForced: false }
      : { ...wish, state: found.state, stateSince: found.stateSince, reason: found.reason }
    if (!(await changeFastLaunch(tx, found, to))) throw imageBusy(image.id)
    return viewFastLaunch({ ...found, ...to })
  },
})

function readWish(input: EnableFastLaunchRequest) {
  const { ResourceType = 'snapshot', LaunchTemplate, SnapshotConfiguration } = input
  if (ResourceType !== 'snapshot') {
    throw invalidParameterValue('resourceType', ResourceType, 'It can only be snapshot.')
  }
  if (LaunchTemplate) throw unsupportedParameter('LaunchTemplate')
  const { MaxParallelLaunches: parallelMax = parallelDefault } = input
  const targetCount = SnapshotConfiguration?.TargetResourceCount ?? targetCountDefault
  checkCount('maxParallelLaunches', parallelMax, parallelDefault)
  checkCount('targetResourceCount', targetCount, 1)
  return { targetCount, parallelMax }
}

function checkCount(name: string, count: number, min: number): void {
  if (count >= min && count <= countMax) return
  throw invalidParameterValue(name, String(count), `It must be between ${min} and ${countMax}.`)
}

function checkImage({ id, state, platform, rootDeviceType }: Image): void {
  if (platform !== 'windows') {
    throw new ApiError(notWindowsCode, `Fast launch is for Windows, and the image '${id}' is not.`)
  }
  if (rootDeviceType !== 'ebs') {
    throw new ApiError(notWindowsCode, `The image '${id}' has no EBS volume as its root device.`)
  }
  if (state !== 'available') throw imageUnavailable(id)
}
