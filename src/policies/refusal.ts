/**
 * What a caller is told of a decision against it, and the encoded message that goes with
 * it: why, in full, for whoever may open it. It is sealed for the account of the caller.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { ApiError } from '../lib/errors.ts'
import type { Sealer } from '../lib/seal.ts'
import type { Decision, Layer } from './decide.ts'
import type { Principal } from './principals.ts'
import type { Question, Statement } from './statement.ts'

export type Refusal = Exclude<Decision, { readonly outcome: 'allowed' }>

const layerNames: Readonly<Record<Layer, string>> = {
  'service control': 'service control policy',
  resource: 'resource-based policy',
  identity: 'identity-based policy',
  boundary: 'permissions boundary',
  session: 'session policy',
}

/** AWS's sentence: who may not do what, and which kind of policy it is that says so. */
export function refusalText({ principal, action, resource }: Question, refusal: Refusal): string {
  const said = `User: ${nameOf(principal)} is not authorized to perform: ${action} on resource: ${resource}`
  if (refusal.outcome === 'not allowed') {
    return `${said} because no ${layerNames[refusal.missing]} allows the ${action} action`
  }
  const kind = layerNames[refusal.by.layer]
  return `${said} with an explicit deny in ${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`
}

function nameOf(principal: Principal): string {
  if (principal.kind === 'service') return principal.name
  return principal.kind === 'anonymous' ? 'anonymous' : principal.arn
}

export interface Caller {
  readonly accountId: string
  /** `AIDA…`, or `AROA…:session` */
  readonly userId: string
}

const contextOfSeal = ({ accountId }: Pick<Caller, 'accountId'>) =>
  `authorization message for ${accountId}`

/** The encoded message of a refusal. */
export function encodeRefusal(
  question: Question,
  refusal: Refusal,
  caller: Caller & { readonly keyNames?: readonly string[] },
  sealer: Sealer,
): string {
  const message = deflateRawSync(JSON.stringify(messageOf(question, refusal, caller)))
  return Buffer.from(sealer.seal(message, contextOfSeal(caller))).toString('base64url')
}

/** What `DecodeAuthorizationMessage` answers: JSON. */
export function decodeRefusal(
  encoded: string,
  caller: Pick<Caller, 'accountId'>,
  sealer: Sealer,
): string {
  try {
    const sealed = Buffer.from(encoded, 'base64url')
    return inflateRawSync(sealer.open(sealed, contextOfSeal(caller))).toString()
  } catch (error) {
    throw new ApiError(
      'InvalidAuthorizationMessageException',
      'Message that was passed is invalid or cannot be decoded.',
      { cause: error },
    )
  }
}

const items = <T>(list: readonly T[]) => ({ items: list })
const valuesOf = (list: readonly string[]) => items(list.map((value) => ({ value })))

function messageOf(
  { principal, action, resource, context }: Question,
  refusal: Refusal,
  { userId, keyNames = [] }: Caller & { readonly keyNames?: readonly string[] },
): unknown {
  // Keys are compared in lower case, and told as they are written.
  const written = new Map(keyNames.map((name) => [name.toLowerCase(), name]))
  const denied = refusal.outcome === 'denied' ? [refusal.by] : []
  const arn = nameOf(principal)
  return {
    allowed: false,
    explicitDeny: denied.length > 0,
    matchedStatements: items(
      denied.map(({ policy, statement }) => ({ policy, ...viewStatement(statement) })),
    ),
    failures: items([]),
    context: {
      principal: { id: userId, name: arn.split('/').at(-1), arn },
      action,
      resource,
      conditions: items(
        [...context].map(([key, value]) => ({
          key: written.get(key) ?? key,
          values: valuesOf(typeof value === 'string' ? [value] : value),
        })),
      ),
    },
  }
}

function viewStatement({ document }: Statement): object {
  const { sid = '', effect, action, resource, conditions } = document
  return {
    statementId: sid,
    effect: effect.toUpperCase(),
    [action?.isNegated ? 'notActions' : 'actions']: valuesOf(action?.value ?? []),
    [resource?.isNegated ? 'notResources' : 'resources']: valuesOf(resource?.value ?? []),
    conditions: items(
      conditions.map(({ operator, key, values }) => ({ operator, key, values: valuesOf(values) })),
    ),
  }
}
