/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleScreenshot.html */
import type { GetConsoleScreenshotRequest, GetConsoleScreenshotResult } from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { readOperation } from '../../wire/operation.ts'
import type { Instance } from '../instance.ts'
import { findOneInstance } from '../lookup.ts'

export const getConsoleScreenshot = readOperation<
  GetConsoleScreenshotRequest,
  GetConsoleScreenshotResult,
  { readonly instance: Instance; readonly wakesUp: boolean }
>({
  action: 'GetConsoleScreenshot',

  async run(call) {
    const { InstanceId = '', WakeUp: wakesUp = false } = call.input
    return { instance: await findOneInstance(call.db, call, InstanceId), wakesUp }
  },

  async fetch({ instance, wakesUp }, { readers }) {
    const { id, state } = instance
    const isRunning = state === 'running'
    const picture = isRunning ? await readers.screenshot(id, { wakesUp }) : undefined
    if (!picture) {
      throw new ApiError(
        'IncorrectInstanceState',
        `The instance '${id}' is not in the 'running' state.`,
      )
    }
    return { InstanceId: id, ImageData: Buffer.from(picture).toString('base64') }
  },
})
