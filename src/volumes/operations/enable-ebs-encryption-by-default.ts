/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableEbsEncryptionByDefault.html */
import type {
  EnableEbsEncryptionByDefaultRequest,
  EnableEbsEncryptionByDefaultResult,
} from '@aws-sdk/client-ec2'
import { unsupportedParameter } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { encryptionIsReady } from '../encryption-ready.ts'
import { setEncryptsByDefault } from '../encryption-settings-store.ts'

export const enableEbsEncryptionByDefault = writeOperation<
  EnableEbsEncryptionByDefaultRequest,
  EnableEbsEncryptionByDefaultResult
>({
  action: 'EnableEbsEncryptionByDefault',
  owesNothing: true,
  async run({ tx, caller, region }) {
    if (!encryptionIsReady) throw unsupportedParameter('EbsEncryptionByDefault')
    await setEncryptsByDefault(tx, { accountId: caller.accountId, region }, true)
    return { EbsEncryptionByDefault: true }
  },
})
