/**
 * Whose a key is, and when it was last used, to the minute.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html
 */
import type { GetAccessKeyLastUsedRequest, GetAccessKeyLastUsedResponse } from '@aws-sdk/client-iam'
import { readOperation } from '../../wire/operation.ts'
import { demandOn } from '../demand.ts'
import { entityArn } from '../entity.ts'
import { findEntities } from '../entity-store.ts'
import { findUserKey, noSuchKey } from '../user-key-store.ts'

const never = { ServiceName: 'N/A', Region: 'N/A' }

export const getAccessKeyLastUsed = readOperation<
  GetAccessKeyLastUsedRequest,
  GetAccessKeyLastUsedResponse
>({
  service: 'iam',
  action: 'GetAccessKeyLastUsed',
  demands: async ({ AccessKeyId = '' }, { db, caller, readers }) => {
    const key = await findUserKey(db, AccessKeyId, readers.masterKey)
    const [user] = key ? await findEntities(db, [key.userId]) : []
    const { accountId } = caller
    const own = user?.accountId === accountId ? user : undefined
    const arn = entityArn(own ?? { accountId, kind: 'user', path: '/', name: '*' })
    return [demandOn('iam:GetAccessKeyLastUsed', arn)]
  },

  async run({ db, input, caller, readers }) {
    const { AccessKeyId = '' } = input
    const key = await findUserKey(db, AccessKeyId, readers.masterKey)
    const [user] = key ? await findEntities(db, [key.userId]) : []
    if (!key || user?.accountId !== caller.accountId) throw noSuchKey(AccessKeyId)
    const { at, service, region } = key.lastUse ?? {}
    return {
      UserName: user.name,
      AccessKeyLastUsed: at ? { LastUsedDate: at, ServiceName: service, Region: region } : never,
    }
  },
})
