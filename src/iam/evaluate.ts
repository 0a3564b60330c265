/** May a caller do a thing? A pure function of the caller's policies and what it wants. */
import { ApiError } from '../lib/errors.ts'
import { type ContextEntries, contextOf } from '../policies/context.ts'
import type { Policies } from '../policies/decide.ts'
import type { SessionTag } from './session.ts'
import { parsePolicy } from '../policies/parse.ts'
import type { Policy } from '../policies/policy.ts'
import type { Principal } from '../policies/principals.ts'
import { type Refusal, refusalText } from '../policies/refusal.ts'
import type { Question } from '../policies/statement.ts'
import { type Demand, firstRefused, type Guard, type Refusing } from './demand.ts'

export interface Caller {
  readonly accountId: string
  /** `arn:aws:iam::123456789012:user/admin` */
  readonly arn: string
  readonly userId: string
  readonly principal: Principal
  readonly policies: Omit<Policies, 'resource'>
  /** Those of its session, where it has some. */
  readonly sessionTags?: readonly SessionTag[]
  /** The condition keys of this call, whatever it asks for. */
  readonly keys: ContextEntries
}

/** What a key that IAM did not make may do. */
export interface Statement {
  readonly effect: 'Allow' | 'Deny'
  readonly actions: readonly string[]
  readonly resources: readonly string[]
}

export interface Permission {
  /** `ec2:RunInstances` */
  readonly action: string
  readonly resource: string
}

/** A call that the policies refuse, and all that is known of why. */
export class Refused extends ApiError {
  readonly question: Question
  readonly refusal: Refusal
  readonly keyNames: readonly string[]

  constructor({ question, refusal, keyNames }: Refusing) {
    super('UnauthorizedOperation', refusalText(question, refusal))
    this.question = question
    this.refusal = refusal
    this.keyNames = keyNames
  }
}

/** What a permission is asked as, of a resource in the caller's own account or of another's. */
export function questionOf(
  { principal, accountId, keys }: Caller,
  { action, resource }: Permission,
  more: { readonly accountId?: string; readonly keys?: ContextEntries } = {},
): Question {
  const context = contextOf(keys, more.keys ?? {})
  const resourceAccountId = more.accountId ?? accountId
  return { principal, action, resource, resourceAccountId, context }
}

/** Tells whether the caller is allowed all of it. */
export function allowsAll(caller: Caller, demands: readonly Demand[]): boolean {
  return firstRefused(demands, caller, caller.keys) === undefined
}

/** Throws unless the caller is allowed all of it. */
export function requireAll(caller: Caller, demands: readonly Demand[]): void {
  const refused = firstRefused(demands, caller, caller.keys)
  if (refused) throw new Refused(refused)
}

/** Throws unless the caller is allowed. */
export function requireAllowed(
  caller: Caller,
  { action, resource: arn }: Permission,
  { guard, keys = {} }: { readonly guard?: Guard; readonly keys?: ContextEntries } = {},
): void {
  requireAll(caller, [{ action, touched: { arn, keys, ...(guard && { guard }) } }])
}

const compiled = new Map<string, readonly Policy[]>()
const compiledMax = 1000

/** The policy that the statements of a key are. */
export function policiesOfStatements(statements: readonly Statement[]): readonly Policy[] {
  if (statements.length === 0) return []
  const text = JSON.stringify({
    Version: '2012-10-17',
    Statement: statements.map(({ effect, actions, resources }) => ({
      Effect: effect,
      Action: actions,
      Resource: resources,
    })),
  })
  let policies = compiled.get(text)
  if (!policies) {
    if (compiled.size >= compiledMax) compiled.clear()
    policies = [parsePolicy(text, 'inline of a role', 'of the key')]
    compiled.set(text, policies)
  }
  return policies
}
