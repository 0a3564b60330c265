/**
 * Whose an access key is: one of the installation's own, of a user, or of a session. What
 * its holder may do is read for each call, when the signature is known to be right.
 */
import type { Database } from '../db/database.ts'
import { findInstance } from '../instances/store.ts'
import { ApiError } from '../lib/errors.ts'
import type { Sealer } from '../lib/seal.ts'
import { Secret } from '../lib/secret.ts'
import type { ContextEntries } from '../policies/context.ts'
import { parsePolicy } from '../policies/parse.ts'
import type { Principal } from '../policies/principals.ts'
import type { Tag } from '../tags/tag.ts'
import { type Entity, entityArn } from './entity.ts'
import { findEntities } from './entity-store.ts'
import { type Caller, policiesOfStatements } from './evaluate.ts'
import { listDocuments } from './find-policy.ts'
import { policiesOf } from './policies-of.ts'
import { boundsOf } from './service-control.ts'
import {
  accountOfSessionKey,
  type InstanceOrigin,
  keysOfInstance,
  openSession,
  requireFresh,
  type Session,
} from './session.ts'
import { findAccessKey, findKeyHolder } from './store.ts'
import { withTags } from './tag-rules.ts'
import { listEntityTags } from './tag-store.ts'
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
  /** Those of the user or role, and of its session, which win. */
  readonly findTags: () => Promise<readonly Tag[]>
  /** The condition keys that its session brings with it, where it does. */
  readonly keys?: ContextEntries
}

interface Given {
  readonly accessKeyId: string
  readonly sessionToken?: string
}

interface Circumstances {
  readonly sealer: Sealer
  readonly now: Date
}

/**
 * Throws what every service answers to a key that is not known, not active or not of the
 * token, and to all of an account that is closed.
 */
export async function findCredentials(
  db: Database,
  given: Given,
  circumstances: Circumstances,
): Promise<Credentials> {
  const found = await findHolder(db, given, circumstances)
  const bounds = await boundsOf(db, found.holder.accountId)
  if (bounds.isClosed) throw invalidToken()
  return {
    ...found,
    keys: { ...found.keys, ...bounds.keys },
    async findPolicies() {
      return { ...(await found.findPolicies()), serviceControl: await bounds.find() }
    },
  }
}

async function findHolder(
  db: Database,
  { accessKeyId: keyId, sessionToken }: Given,
  { sealer, now }: Circumstances,
): Promise<Credentials> {
  if (sessionToken !== undefined) {
    const session = openSession(keyId, sessionToken, sealer)
    if (!session) throw invalidToken()
    requireFresh(session, now)
    return await ofSession(db, keyId, session)
  }
  const own = await findAccessKey(db, keyId, sealer)
  if (own) {
    const { accountId, arn, userId, policies } = own.caller
    return {
      keyId,
      secret: own.secret,
      holder: { accountId, arn, userId, principal: { kind: 'user', accountId, arn } },
      issuedAt: undefined,
      lastUse: { isKept: false, last: undefined },
      findPolicies: async () => ({ identity: policiesOfStatements(policies) }),
      findTags: async () => [],
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
    findTags: () => listEntityTags(db, user.id),
  }
}

function ofUser(user: Entity): { readonly arn: string; readonly principal: Principal } {
  const arn = entityArn(user)
  return { arn, principal: { kind: 'user', accountId: user.accountId, arn } }
}

/** What a session of a user must not do: AWS keeps it from all that makes others. */
const ofUserSession = parsePolicy(
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: '*', Resource: '*' },
      { Effect: 'Deny', Action: 'iam:*', Resource: '*' },
      {
        Effect: 'Deny',
        Action: ['sts:DecodeAuthorizationMessage', 'sts:GetAccessKeyInfo'],
        Resource: '*',
      },
    ],
  }),
  'session',
  'of every session of a user',
)

async function ofSession(db: Database, keyId: string, session: Session): Promise<Credentials> {
  const { accountId, entityId, name, policy, policyArns, tags = [], instance } = session
  const [entity] = await findEntities(db, [entityId])
  if (!entity || entity.accountId !== accountId) throw invalidToken()
  if (instance && !(await isThere(db, instance))) throw invalidToken()
  const issuedAt = new Date(session.issuedAtMs)
  const shared = {
    keyId,
    secret: new Secret(session.secret),
    issuedAt,
    lastUse: { isKept: false, last: undefined },
    findTags: async () => withTags(await listEntityTags(db, entity.id), tags),
  }
  if (entity.kind === 'user') {
    return {
      ...shared,
      holder: { accountId, userId: entity.id, ...ofUser(entity) },
      findPolicies: async () => ({ ...(await policiesOf(db, entity)), session: [ofUserSession] }),
    }
  }
  const arn = `arn:aws:sts::${accountId}:assumed-role/${entity.name}/${name}`
  const behindArn = entityArn(entity)
  return {
    ...shared,
    holder: {
      accountId,
      arn,
      userId: `${entity.id}:${name}`,
      sessionTags: tags,
      principal: { kind: 'session', accountId, arn, behindArn },
    },
    ...(instance && { keys: keysOfInstance(accountId, instance) }),
    async findPolicies() {
      const policies = await policiesOf(db, entity)
      if (policy === undefined && policyArns.length === 0) return policies
      const named = await listDocuments(db, policyArns)
      const given = policy === undefined ? [] : [parsePolicy(policy, 'session', 'of the session')]
      const attached = named.map(({ arn: of, document }) => parsePolicy(document, 'managed', of))
      return { ...policies, session: [...given, ...attached] }
    },
  }
}

/** The credentials of an instance end with it. */
async function isThere(db: Database, { id }: InstanceOrigin): Promise<boolean> {
  const instance = await findInstance(db, id)
  return instance !== undefined && instance.state !== 'terminated'
}

/** The account that a key is of, if there is such a key. */
export async function findKeyAccount(
  db: Database,
  keyId: string,
  sealer: Sealer,
): Promise<string | undefined> {
  const own = await findKeyHolder(db, keyId)
  if (own) return own.accountId
  const key = await findUserKey(db, keyId, sealer)
  const [user] = key ? await findEntities(db, [key.userId]) : []
  return user?.accountId ?? accountOfSessionKey(keyId)
}

const invalidToken = (): ApiError =>
  new ApiError('InvalidClientTokenId', 'The security token included in the request is invalid.')
