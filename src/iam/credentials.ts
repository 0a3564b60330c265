/**
 * Whose an access key is: one of the installation's own, of a user, or of a session. What
 * its holder may do is read for each call, when the signature is known to be right.
 */
import type { Database } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import type { Sealer } from '../lib/seal.ts'
import type { Secret } from '../lib/secret.ts'
import type { Principal } from '../policies/principals.ts'
import { type Entity, entityArn } from './entity.ts'
import { findEntities } from './entity-store.ts'
import { type Caller, policiesOfStatements } from './evaluate.ts'
import { policiesOf } from './policies-of.ts'
import { findAccessKey } from './store.ts'
import { findUserKey, type KeyUse } from './user-key-store.ts'

export interface Credentials {
  readonly keyId: string
  readonly secret: Secret
  readonly holder: Omit<Caller, 'policies' | 'keys'>
  /** When a session began; nothing for keys that last. */
  readonly issuedAt: Date | undefined
  /** What is kept of the last use, for keys of which that is kept. */
  readonly lastUse: { readonly isKept: boolean; readonly last: KeyUse | undefined }
  readonly findPolicies: () => Promise<Caller['policies']>
}

interface Given {
  readonly accessKeyId: string
  readonly sessionToken?: string
}

/** Throws what every service answers to a key that is not known, not active or not of the token. */
export async function findCredentials(
  db: Database,
  { accessKeyId: keyId, sessionToken }: Given,
  sealer: Sealer,
): Promise<Credentials> {
  if (sessionToken !== undefined) throw invalidToken()
  const own = await findAccessKey(db, keyId)
  if (own) {
    const { accountId, arn, userId, policies } = own.caller
    return {
      keyId,
      secret: own.secret,
      holder: { accountId, arn, userId, principal: { kind: 'user', accountId, arn } },
      issuedAt: undefined,
      lastUse: { isKept: false, last: undefined },
      findPolicies: async () => ({ identity: policiesOfStatements(policies) }),
    }
  }
  const key = await findUserKey(db, keyId, sealer)
  const [user] = key?.isActive ? await findEntities(db, [key.userId]) : []
  if (!key || !user) throw invalidToken()
  return {
    keyId,
    secret: key.secret,
    holder: { accountId: user.accountId, userId: user.id, ...ofUser(user) },
    issuedAt: undefined,
    lastUse: { isKept: true, last: key.lastUse },
    findPolicies: () => policiesOf(db, user),
  }
}

function ofUser(user: Entity): { readonly arn: string; readonly principal: Principal } {
  const arn = entityArn(user)
  return { arn, principal: { kind: 'user', accountId: user.accountId, arn } }
}

const invalidToken = (): ApiError =>
  new ApiError('InvalidClientTokenId', 'The security token included in the request is invalid.')
