/**
 * May somebody do something? A pure function of policies and a question. An explicit
 * deny of any policy wins; what no policy allows is denied; and every kind of policy
 * that sets a limit has to allow it as well.
 *
 *   denied by a statement? ─▶ no
 *   service control policies of every level allow it? ─▶ else no
 *   within one account: the resource's policy names the caller itself ─▶ yes
 *                       else its identity (or its resource's policy by its role) allows it,
 *                       and so do its boundary and its session's policies ─▶ yes
 *   across accounts:    the resource's policy, its identity, boundary and session all do ─▶ yes
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 */
import type { Policy } from './policy.ts'
import { type Meant, meant } from './principals.ts'
import { applies, type Prepared, prepare, type Question, type Statement } from './statement.ts'

/** Everything that has a say in a decision. */
export interface Policies {
  readonly identity: readonly Policy[]
  readonly boundary?: Policy | undefined
  /** Those given with the session, where any were: only what one of them allows is left. */
  readonly session?: readonly Policy[] | undefined
  /** By level, from the root of the organization down to the account. */
  readonly serviceControl?: readonly (readonly Policy[])[] | undefined
  readonly resource?: ResourcePolicy | undefined
}

export interface ResourcePolicy {
  readonly policy: Policy
  /**
   * The account that the resource is in may allow what it likes only as far as this
   * policy says so: keys and roles. For others it may in any case.
   */
  readonly rulesAlone: boolean
}

export type Layer = 'service control' | 'resource' | 'identity' | 'boundary' | 'session'

export interface Decider {
  readonly layer: Layer
  readonly policy: string
  readonly statement: Statement
}

export type Decision =
  | { readonly outcome: 'allowed'; readonly by: readonly Decider[] }
  | { readonly outcome: 'denied'; readonly by: Decider }
  /** Nothing denies it, and `missing` says which kind of policy should allow it and does not. */
  | { readonly outcome: 'not allowed'; readonly missing: Layer }

export function decide(question: Question, policies: Policies): Decision {
  const asked = prepare(question)
  const control = (policies.serviceControl ?? []).map((level) =>
    judge('service control', level, asked),
  )
  const resource = judgeResource(policies, asked)
  const identity = judge('identity', policies.identity, asked)
  const boundary = policies.boundary && judge('boundary', [policies.boundary], asked)
  const session = policies.session && judge('session', policies.session, asked)

  const denied = [...control, resource, identity, boundary, session].find((one) => one?.denied)
  if (denied?.denied) return { outcome: 'denied', by: denied.denied }

  if (control.some((level) => !level.allowed)) {
    return { outcome: 'not allowed', missing: 'service control' }
  }
  const by: Decider[] = control.flatMap(({ allowed }) => allowed ?? [])
  const { principal, resourceAccountId } = question
  const named = resource.by.get('directly')
  if (principal.kind === 'anonymous' || principal.kind === 'service') {
    return named ? allowedBy(by, named) : { outcome: 'not allowed', missing: 'resource' }
  }

  const isOwn = principal.accountId === resourceAccountId
  if (isOwn && named) return allowedBy(by, named)
  const behind = resource.by.get('behind')
  const throughAccount = resource.by.get('as account')
  const isTrusted = isOwn && !policies.resource?.rulesAlone
  const mayIdentity = principal.kind === 'root' || identity.allowed !== undefined

  if (isOwn && behind) by.push(behind)
  else {
    const granted = named ?? behind ?? throughAccount
    if (!isTrusted && !granted) return { outcome: 'not allowed', missing: 'resource' }
    if (!mayIdentity) return { outcome: 'not allowed', missing: 'identity' }
    if (granted) by.push(granted)
    if (identity.allowed) by.push(identity.allowed)
  }
  for (const limit of [boundary, session]) {
    if (!limit) continue
    if (!limit.allowed) return { outcome: 'not allowed', missing: limit.layer }
    by.push(limit.allowed)
  }
  return { outcome: 'allowed', by }
}

const allowedBy = (by: readonly Decider[], one: Decider): Decision => ({
  outcome: 'allowed',
  by: [...by, one],
})

interface Verdict {
  readonly layer: Layer
  readonly denied: Decider | undefined
  readonly allowed: Decider | undefined
}

function judge(layer: Layer, policies: readonly Policy[], asked: Prepared): Verdict {
  let allowed: Decider | undefined
  for (const policy of policies) {
    for (const statement of policy.about(asked.action)) {
      if (statement.effect === 'Allow' && allowed) continue
      if (!applies(statement, asked)) continue
      const decider = { layer, policy: policy.name, statement }
      if (statement.effect === 'Deny') return { layer, denied: decider, allowed }
      allowed = decider
    }
  }
  return { layer, denied: undefined, allowed }
}

interface ResourceVerdict extends Verdict {
  /** The first statement that allows, for each way in which the caller is meant. */
  readonly by: ReadonlyMap<Meant, Decider>
}

function judgeResource(policies: Policies, asked: Prepared): ResourceVerdict {
  const layer = 'resource'
  const by = new Map<Meant, Decider>()
  let denied: Decider | undefined
  const { policy } = policies.resource ?? {}
  for (const statement of policy?.about(asked.action) ?? []) {
    const way = wayMeant(statement, asked, policies.boundary !== undefined)
    if (!way || !applies(statement, asked)) continue
    const decider = { layer, policy: policy?.name ?? '', statement } as const
    if (statement.effect === 'Deny') denied ??= decider
    else if (!by.has(way)) by.set(way, decider)
  }
  return { layer, denied, allowed: undefined, by }
}

/**
 * Whoever has a boundary is not spared by the `NotPrincipal` of a deny, whomever it lists.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
 */
function wayMeant(
  { principals, effect }: Statement,
  { question }: Prepared,
  hasBoundary: boolean,
): Meant | undefined {
  if (!principals) return undefined
  const way = meant(principals.patterns, question.principal)
  if (!principals.isNegated) return way
  return way && !(effect === 'Deny' && hasBoundary) ? undefined : 'directly'
}
