/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DisableEbsEncryptionByDefault.html */
import type {
  DisableEbsEncryptionByDefaultRequest,
  DisableEbsEncryptionByDefaultResult,
} from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { setEncryptsByDefault } from '../encryption-settings-store.ts'

export const disableEbsEncryptionByDefault = writeOperation<
  DisableEbsEncryptionByDefaultRequest,
  DisableEbsEncryptionByDefaultResult
>({
  action: 'DisableEbsEncryptionByDefault',
  owesNothing: true,
  async run({ tx, caller, region }) {
    await setEncryptsByDefault(tx, { accountId: caller.accountId, region }, false)
    return { EbsEncryptionByDefault: false }
  },
})
