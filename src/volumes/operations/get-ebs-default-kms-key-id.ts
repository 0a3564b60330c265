/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetEbsDefaultKmsKeyId.html */
import type { GetEbsDefaultKmsKeyIdRequest, GetEbsDefaultKmsKeyIdResult } from '@aws-sdk/client-ec2'
import { ebsAlias } from '../../kms/alias.ts'
import { readOperation } from '../../wire/operation.ts'
import { findEncryptionSettings } from '../encryption-settings-store.ts'

export const getEbsDefaultKmsKeyId = readOperation<
  GetEbsDefaultKmsKeyIdRequest,
  GetEbsDefaultKmsKeyIdResult
>({
  action: 'GetEbsDefaultKmsKeyId',
  async run({ db, caller, region }) {
    const { accountId } = caller
    const { kmsKeyArn } = await findEncryptionSettings(db, { accountId, region })
    // The key of AWS may not be made yet; its alias is known from the beginning.
    return { KmsKeyId: kmsKeyArn ?? ebsAlias }
  },
})
