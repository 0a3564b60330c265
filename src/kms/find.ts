/** The key that a call names and its caller may use so, or the call is refused. */
import type { Database } from '../db/database.ts'
import { type Demand, demandOn } from '../iam/demand.ts'
import { type Caller, requireAll } from '../iam/evaluate.ts'
import { ApiError } from '../lib/errors.ts'
import { aliasArn } from './alias.ts'
import { findAlias } from './alias-store.ts'
import { demandOnKey, keysOfInput, mayUse } from './access.ts'
import { type Key, keyArn, type Place } from './key.ts'
import { invalidKeyId, type KeyReference, parseKeyReference } from './key-reference.ts'
import { keyOfBlob, resolveKey } from './keys.ts'
import { findKey } from './store.ts'

interface Call {
  readonly caller: Caller
  readonly region: string
  readonly input: unknown
  /** The service that asks for the caller. */
  readonly via?: string
}

export const hereOf = ({ caller, region }: Pick<Call, 'caller' | 'region'>): Place => ({
  accountId: caller.accountId,
  region,
})

/**
 * What a caller needs for `action` on the key that `text` names. Whether there is such a key
 * is nothing for one who may not use it. Keys of other accounts are `requireKey`'s to judge.
 */
export async function onKey(
  action: string,
  text: string | undefined,
  { db, ...call }: Call & { readonly db: Database },
): Promise<readonly Demand[]> {
  if (text === undefined) return []
  const reference = parseKeyReference(text, hereOf(call))
  if (reference.accountId !== call.caller.accountId) return []
  return [demandOf(await findReferred(db, reference), call, action, reference)]
}

async function findReferred(db: Database, reference: KeyReference): Promise<Key | undefined> {
  if (reference.kind === 'key') return await findKey(db, reference)
  const alias = await findAlias(db, reference)
  return alias && (await findKey(db, { ...hereOfReference(reference), id: alias.keyId }))
}

const hereOfReference = ({ accountId, region }: Place): Place => ({ accountId, region })

function demandOf(
  key: Key | undefined,
  { caller, input, via }: Call,
  action: string,
  reference?: KeyReference,
): Demand {
  const alias = reference?.kind === 'alias' ? reference : undefined
  const keys = { ...keysOfInput(action, input), 'kms:RequestAlias': alias?.name }
  if (key) return demandOnKey(key, { caller, action, keys, ...(via !== undefined && { via }) })
  const arn = reference?.kind === 'key' ? keyArn(reference) : alias && aliasArn(alias)
  return demandOn(`kms:${action}`, arn ?? '*', keys)
}

/** What a key's policy can let other accounts do. */
const forOthers = /^(?:Decrypt|DescribeKey|Encrypt|GenerateDataKey|ReEncrypt)/

/** The key that `text` names in any of the four ways. */
export async function requireKey(
  db: Database,
  call: Call,
  action: string,
  text: string | undefined,
): Promise<Key> {
  const here = hereOf(call)
  const reference = parseKeyReference(text ?? '', here)
  const isAlias = reference.kind === 'alias'
  if (reference.accountId !== here.accountId) {
    const arn = isAlias ? aliasArn(reference) : keyArn(reference)
    const key = isAlias ? undefined : await findKey(db, reference)
    if (key && forOthers.test(action) && mayUse(key, { caller: call.caller, action })) return key
    throw denied(call, action, arn)
  }
  const found = await findReferred(db, reference)
  requireAll(call.caller, [demandOf(found, call, action, reference)])
  const key = found ?? (await resolveKey(db, { ...here, keyId: text ?? '' }))
  return checkManager(key, call, action)
}

/** The key that `text` names by its id or its ARN. */
export async function requireKeyById(
  db: Database,
  call: Call,
  action: string,
  text: string | undefined,
): Promise<Key> {
  const { kind } = parseKeyReference(text ?? '', hereOf(call))
  if (kind === 'key') return await requireKey(db, call, action, text)
  if (!text?.startsWith('arn:')) throw invalidKeyId(text ?? '')
  throw new ApiError('InvalidArnException', `${text} is not the ARN of a key.`)
}

/** The key that encrypted a blob; it has to be the one that the call names, where it names one. */
export async function requireKeyOfBlob(
  db: Database,
  call: Call,
  action: string,
  blob: Uint8Array,
  text: string | undefined,
): Promise<Key> {
  const named = text === undefined ? undefined : await requireKey(db, call, action, text)
  const key = await keyOfBlob(db, hereOf(call), blob, (other) =>
    mayUse(other, { caller: call.caller, action }),
  )
  if (named && named.id !== key.id) {
    throw new ApiError(
      'IncorrectKeyException',
      'The key ID in the request does not identify a CMK that can perform this operation.',
    )
  }
  requireAll(call.caller, [demandOf(key, call, action)])
  return checkManager(key, call, action)
}

/** A key of AWS can be looked at; its policy lets only AWS's own services use it. */
function checkManager(key: Key, call: Call, action: string): Key {
  if (key.manager === 'CUSTOMER' || /^(?:Describe|Get|List)[A-Z]/.test(action)) return key
  throw denied(call, action, keyArn(key))
}

function denied({ caller }: Call, action: string, resource: string): ApiError {
  return new ApiError(
    'AccessDeniedException',
    `User: ${caller.arn} is not authorized to perform: kms:${action} on resource: ${resource} ` +
      'because the resource does not exist in this Region, no resource-based policies allow ' +
      'access, or a resource-based policy explicitly denies access',
  )
}
