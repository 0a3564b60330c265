/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleScreenshot.html */
import type { GetConsoleScreenshotRequest, GetConsoleScreenshotResult } from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { readOperation } from '../../wire/operation.ts'
import { findOneInstance } from '../lookup.ts'
import { onInstances } from '../permissions.ts'

export const getConsoleScreenshot = readOperation<
  GetConsoleScreenshotRequest,
  GetConsoleScreenshotResult
>({
  action: 'GetConsoleScreenshot',
  permissions: onInstances('GetConsoleScreenshot'),

  async run(call) {
    const { id, state } = await findOneInstance(call.db, call, call.input.InstanceId ?? '')
    // EC2 takes a JPEG. This is a PNG, which viewers tell by its first bytes, and loses no pixel.
    const picture = state === 'running' ? await call.readers.screenshot(id) : undefined
    if (!picture) {
      throw new ApiError(
        'IncorrectInstanceState',
        `The instance '${id}' is not in the 'running' state.`,
      )
    }
    return { InstanceId: id, ImageData: Buffer.from(picture).toString('base64') }
  },
})
