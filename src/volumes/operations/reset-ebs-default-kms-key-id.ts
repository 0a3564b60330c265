/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ResetEbsDefaultKmsKeyId.html */
import type {
  ResetEbsDefaultKmsKeyIdRequest,
  ResetEbsDefaultKmsKeyIdResult,
} from '@aws-sdk/client-ec2'
import { keyArn } from '../../kms/key.ts'
import { writeOperation } from '../../wire/operation.ts'
import { findKeyFor } from '../encryption.ts'
import { setDefaultKey } from '../encryption-settings-store.ts'

export const resetEbsDefaultKmsKeyId = writeOperation<
  ResetEbsDefaultKmsKeyIdRequest,
  ResetEbsDefaultKmsKeyIdResult
>({
  action: 'ResetEbsDefaultKmsKeyId',
  owesNothing: true,
  async run(call) {
    const { tx, caller, region } = call
    const here = { accountId: caller.accountId, region }
    const key = await findKeyFor(call, here, undefined)
    await setDefaultKey(tx, here, undefined)
    return { KmsKeyId: keyArn(key) }
  },
})
