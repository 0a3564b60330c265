/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetEbsEncryptionByDefault.html */
import type {
  GetEbsEncryptionByDefaultRequest,
  GetEbsEncryptionByDefaultResult,
} from '@aws-sdk/client-ec2'
import { readOperation } from '../../wire/operation.ts'
import { findEncryptionSettings } from '../encryption-settings-store.ts'

export const getEbsEncryptionByDefault = readOperation<
  GetEbsEncryptionByDefaultRequest,
  GetEbsEncryptionByDefaultResult
>({
  action: 'GetEbsEncryptionByDefault',
  async run({ db, caller, region }) {
    const { accountId } = caller
    const { encryptsByDefault } = await findEncryptionSettings(db, { accountId, region })
    return { EbsEncryptionByDefault: encryptsByDefault }
  },
})
