/**
 * Gives a user credentials that expire, for calls other than those of IAM.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
 */
import type { GetSessionTokenRequest, GetSessionTokenResponse } from '@aws-sdk/client-sts'
import { readOperation } from '../../wire/operation.ts'
import { ApiError } from '../../lib/errors.ts'
import { unsupportedParameter } from '../../lib/errors.ts'
import { findEntities } from '../entity-store.ts'
import { checkDuration, makeSession } from '../session.ts'

const secondsMax = 129_600
const tooLong = `The requested DurationSeconds exceeds ${secondsMax}.`

export const getSessionToken = readOperation<GetSessionTokenRequest, GetSessionTokenResponse>({
  service: 'sts',
  action: 'GetSessionToken',
  demands: () => [],

  async run({ db, input, caller, now, readers }) {
    if (input.SerialNumber) throw unsupportedParameter('SerialNumber')
    if (input.TokenCode) throw unsupportedParameter('TokenCode')
    const [user] = await findEntities(db, [caller.userId])
    // Everybody may ask for one, but for those who have nothing but one.
    if (caller.keys['aws:TokenIssueTime'] !== undefined || user?.kind !== 'user') {
      throw new ApiError(
        'UnauthorizedOperation',
        "Cannot call GetSessionToken with session credentials, nor with a key that is no user's",
      )
    }
    const { DurationSeconds = 43_200 } = input
    const seconds = checkDuration(DurationSeconds, secondsMax, tooLong)
    const session = {
      accountId: user.accountId,
      entityId: user.id,
      name: undefined,
      issuedAtMs: now.getTime(),
      expiresAtMs: now.getTime() + seconds * 1000,
      policy: undefined,
      policyArns: [],
    }
    const { randomBytes, masterKey: sealer } = readers
    return { Credentials: makeSession(session, { randomBytes, sealer }) }
  },
})
