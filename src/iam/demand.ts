/**
 * What a call demands: one action, on each resource that it touches, with what is known
 * of that resource and of what shall become of it. A call is allowed when all of its
 * demands are, each judged by itself.
 */
import { type ContextEntries, contextOf } from '../policies/context.ts'
import { decide, type Policies, type ResourcePolicy } from '../policies/decide.ts'
import type { Principal } from '../policies/principals.ts'
import type { Refusal } from '../policies/refusal.ts'
import type { Question } from '../policies/statement.ts'

export interface Demand {
  /** `ec2:RunInstances` */
  readonly action: string
  readonly touched: Touched
}

export interface Touched {
  /** The ARN, or `*` where the action knows no resources. */
  readonly arn: string
  /** The condition keys of this resource, beside those of the whole call. */
  readonly keys: ContextEntries
  /**
   * Of what has a policy of its own: keys, and roles that are taken. An image or snapshot
   * of another account has none: whether the caller may see it is a matter of sharing,
   * and not of IAM.
   */
  readonly guard?: Guard
}

export interface Guard extends ResourcePolicy {
  readonly accountId: string
}

/** Who calls, and under which policies. */
export interface Standing {
  readonly principal: Principal
  readonly accountId: string
  readonly policies: Omit<Policies, 'resource'>
}

/** An action on one resource. */
export const demandOn = (action: string, arn: string, keys: ContextEntries = {}): Demand => ({
  action,
  touched: { arn, keys },
})

/** The tags that a resource has, for services that call them by no other name. */
export const tagsOnResource = (
  tags: readonly { readonly key: string; readonly value: string }[] = [],
): ContextEntries =>
  Object.fromEntries(tags.map(({ key, value }) => [`aws:ResourceTag/${key}`, value]))

/** Where nothing is said of resources: the action, on `*`. */
export const onAnything = (action: string): Demand => demandOn(action, '*')

/**
 * Condition keys are the same in upper and lower case, and keys of tags are not: of tags
 * that differ in nothing else, each is judged by itself.
 */
function spellingsOf(demand: Demand): readonly (Demand & { readonly keys: ContextEntries })[] {
  const { keys } = demand.touched
  const groups = Object.values(Object.groupBy(Object.keys(keys), (name) => name.toLowerCase()))
  const several = groups.filter((group = []) => group.length > 1)
  if (several.length === 0) return [{ ...demand, keys }]
  const count = Math.max(...several.map((group = []) => group.length))
  return Array.from({ length: count }, (_, index) => {
    const left = several.flatMap((group = []) =>
      group.toSpliced(Math.min(index, group.length - 1), 1),
    )
    const kept = Object.entries(keys).filter(([name]) => !left.includes(name))
    return { ...demand, keys: Object.fromEntries(kept) }
  })
}

export interface Refusing {
  readonly question: Question
  readonly refusal: Refusal
  /** The condition keys, as they are written. */
  readonly keyNames: readonly string[]
}

/** The first demand that is refused, if any is, and why. */
export function firstRefused(
  demands: readonly Demand[],
  { principal, accountId, policies }: Standing,
  keysOfCall: ContextEntries,
): Refusing | undefined {
  for (const { action, touched, keys } of demands.flatMap(spellingsOf)) {
    const { arn, guard } = touched
    const question = {
      principal,
      action,
      resource: arn,
      resourceAccountId: guard?.accountId ?? accountId,
      context: contextOf(keysOfCall, keys),
    }
    const decision = decide(question, guard ? { ...policies, resource: guard } : policies)
    if (decision.outcome === 'allowed') continue
    const keyNames = [...Object.keys(keysOfCall), ...Object.keys(keys)]
    return { question, refusal: decision, keyNames }
  }
  return undefined
}
