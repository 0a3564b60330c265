/**
 * Which account a key is of, whoever asks.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html
 */
import type { GetAccessKeyInfoRequest, GetAccessKeyInfoResponse } from '@aws-sdk/client-sts'
import { readOperation } from '../../wire/operation.ts'
import { ApiError } from '../../lib/errors.ts'
import { requireAllowed } from '../evaluate.ts'
import { findKeyAccount } from '../credentials.ts'

export const getAccessKeyInfo = readOperation<GetAccessKeyInfoRequest, GetAccessKeyInfoResponse>({
  service: 'sts',
  action: 'GetAccessKeyInfo',
  demands: () => [],

  async run({ db, input, caller, readers }) {
    requireAllowed(caller, { action: 'sts:GetAccessKeyInfo', resource: '*' })
    const { AccessKeyId: keyId = '' } = input
    const Account = await findKeyAccount(db, keyId, readers.masterKey)
    if (Account !== undefined) return { Account }
    throw new ApiError('ValidationError', `The Access Key with id ${keyId} cannot be found.`)
  },
})
