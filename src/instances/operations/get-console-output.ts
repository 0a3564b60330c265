/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html */
import type { GetConsoleOutputRequest, GetConsoleOutputResult } from '@aws-sdk/client-ec2'
import { readOperation } from '../../wire/operation.ts'
import type { Instance } from '../instance.ts'
import { findOneInstance } from '../lookup.ts'

/** EC2 keeps so much of what an instance has written. */
const bytesMax = 64 * 1024

export const getConsoleOutput = readOperation<
  GetConsoleOutputRequest,
  GetConsoleOutputResult,
  Instance
>({
  action: 'GetConsoleOutput',

  run: (call) => findOneInstance(call.db, call, call.input.InstanceId ?? ''),

  async fetch({ id }, { readers, now }) {
    const written = await readers.consoleOutput(id, bytesMax)
    return {
      InstanceId: id,
      Timestamp: written?.at ?? now,
      Output: Buffer.from(written?.bytes ?? []).toString('base64'),
    }
  },
})
