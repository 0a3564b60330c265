/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableEbsEncryptionByDefault.html */
import type {
  EnableEbsEncryptionByDefaultRequest,
  EnableEbsEncryptionByDefaultResult,
} from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { setEncryptsByDefault } from '../encryption-settings-store.ts'

export const enableEbsEncryptionByDefault = writeOperation<
  EnableEbsEncryptionByDefaultRequest,
  EnableEbsEncryptionByDefaultResult
>({
  action: 'EnableEbsEncryptionByDefault',
  owesNothing: true,
  async run({ tx, caller, region }) {
    await setEncryptsByDefault(tx, { accountId: caller.accountId, region }, true)
    return { EbsEncryptionByDefault: true }
  },
})
