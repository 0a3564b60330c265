/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html */
import type { GetConsoleOutputRequest, GetConsoleOutputResult } from '@aws-sdk/client-ec2'
import { readOperation } from '../../wire/operation.ts'
import { findOneInstance } from '../lookup.ts'

/** EC2 keeps so much of what an instance has written. */
const bytesMax = 64 * 1024

export const getConsoleOutput = readOperation<GetConsoleOutputRequest, GetConsoleOutputResult>({
  action: 'GetConsoleOutput',

  async run(call) {
    const { id } = await findOneInstance(call.db, call, call.input.InstanceId ?? '')
    const written = await call.readers.consoleOutput(id, bytesMax)
    return {
      InstanceId: id,
      Timestamp: written?.at ?? call.now,
      Output: Buffer.from(written?.bytes ?? []).toString('base64'),
    }
  },
})
