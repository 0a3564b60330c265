/**
 * Says who signed. Everybody may ask, whatever their policies say.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
import type { GetCallerIdentityRequest, GetCallerIdentityResponse } from '@aws-sdk/client-sts'
import { readOperation } from '../../wire/operation.ts'

export const getCallerIdentity = readOperation<GetCallerIdentityRequest, GetCallerIdentityResponse>(
  {
    service: 'sts',
    action: 'GetCallerIdentity',
    demands: () => [],
    async run({ caller }) {
      return { UserId: caller.userId, Account: caller.accountId, Arn: caller.arn }
    },
  },
)
