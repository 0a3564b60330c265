/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableVolumeIO.html */
import type { EnableVolumeIORequest } from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { findOneVolume } from '../lookup.ts'

/** No volume is ever kept from its reads and writes here, so there is nothing to be done. */
export const enableVolumeIO = writeOperation<EnableVolumeIORequest, Record<string, never>>({
  action: 'EnableVolumeIO',
  async run(call) {
    await findOneVolume(call.tx, call, call.input.VolumeId)
    return {}
  },
})
