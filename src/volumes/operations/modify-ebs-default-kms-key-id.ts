/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyEbsDefaultKmsKeyId.html */
import type {
  ModifyEbsDefaultKmsKeyIdRequest,
  ModifyEbsDefaultKmsKeyIdResult,
} from '@aws-sdk/client-ec2'
import { keyArn } from '../../kms/key.ts'
import { KeyUnusable } from '../../kms/key-trouble.ts'
import { missingParameter } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { findKeyFor, keyNotAccessible } from '../encryption.ts'
import { setDefaultKey } from '../encryption-settings-store.ts'

export const modifyEbsDefaultKmsKeyId = writeOperation<
  ModifyEbsDefaultKmsKeyIdRequest,
  ModifyEbsDefaultKmsKeyIdResult
>({
  action: 'ModifyEbsDefaultKmsKeyId',
  owesNothing: true,
  async run(call) {
    const { input, tx, caller, region } = call
    if (!input.KmsKeyId) throw missingParameter('KmsKeyId')
    const here = { accountId: caller.accountId, region }
    const key = await findKeyFor(call, here, input.KmsKeyId).catch((error: unknown) => {
      throw error instanceof KeyUnusable ? keyNotAccessible(error.message) : error
    })
    await setDefaultKey(tx, here, key.manager === 'AWS' ? undefined : keyArn(key))
    return { KmsKeyId: keyArn(key) }
  },
})
