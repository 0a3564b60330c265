/**
 * How policies of one level after the other become what is in effect for an account. A
 * policy is a tree whose leaves say what to do with a value: assign it, append to a list,
 * remove from it. Any part of it can say what the levels below may do with that part.
 * https://docs.aws.amazon.com/organizations/latest/userguide/policy-operators.html
 */
import { allowanceHoldsBelow } from './unknowns.ts'

export type Value = string | number | readonly string[]
export interface PolicyTree {
  readonly [key: string]: PolicyTree | Value
}
/** What is in effect: the same tree with values for leaves. */
export interface EffectiveTree {
  [key: string]: EffectiveTree | Value
}

export const operators = ['@@assign', '@@append', '@@remove'] as const
export type Operator = (typeof operators)[number]

/** Says what policies of levels below may do. */
export const control = '@@operators_allowed_for_child_policies'
export const controlWords = ['@@all', '@@none', ...operators] as const

/** What is allowed at a part of the tree, by all levels above together. */
interface Allowance {
  readonly allowed: ReadonlySet<Operator>
  readonly parts: ReadonlyMap<string, Allowance>
}

const all: ReadonlySet<Operator> = new Set(operators)
const everything: Allowance = { allowed: all, parts: new Map() }

/** Merges the policies of each level, the root's first. Those of one level know nothing of each other's limits. */
export function merge(levels: readonly (readonly PolicyTree[])[]): EffectiveTree {
  const effective: EffectiveTree = {}
  let allowance = everything
  for (const level of levels) {
    for (const policy of level) apply(effective, policy, allowance, all)
    for (const policy of level) allowance = limit(allowance, policy)
  }
  return effective
}

export const isTree = (node: PolicyTree | Value | undefined): node is PolicyTree =>
  typeof node === 'object' && !Array.isArray(node)

/** A part that says what to do with a value, not one that has more parts. */
export const isLeaf = (node: PolicyTree): boolean =>
  operators.some((operator) => Object.hasOwn(node, operator))

function apply(
  effective: EffectiveTree,
  policy: PolicyTree,
  { allowed, parts }: Allowance,
  allowedAbove: ReadonlySet<Operator>,
): void {
  const allowedHere = allowanceHoldsBelow ? allowed.intersection(allowedAbove) : allowed
  for (const [key, node] of Object.entries(policy)) {
    if (!isTree(node)) continue
    const part = parts.get(key) ?? everything
    if (isLeaf(node)) {
      const may = part.allowed.intersection(allowedHere)
      const value = change(effective[key], node, may)
      if (value !== undefined) effective[key] = value
      continue
    }
    const below = effective[key]
    const inner: EffectiveTree = isEffectiveTree(below) ? below : {}
    apply(inner, node, part, allowedHere)
    if (Object.keys(inner).length > 0) effective[key] = inner
  }
}

const isEffectiveTree = (node: EffectiveTree | Value | undefined): node is EffectiveTree =>
  typeof node === 'object' && !Array.isArray(node)

/** The new value of a leaf. A list of which all is removed stays, and is empty. */
function change(
  before: EffectiveTree | Value | undefined,
  leaf: PolicyTree,
  may: ReadonlySet<Operator>,
): Value | undefined {
  let value = isEffectiveTree(before) ? undefined : before
  const given = (operator: Operator) => (may.has(operator) ? leaf[operator] : undefined)
  const assigned = given('@@assign')
  if (assigned !== undefined && !isTree(assigned)) value = assigned
  const appended = given('@@append')
  if (Array.isArray(appended)) {
    value = [...new Set([...(Array.isArray(value) ? value : []), ...appended])]
  }
  const removed = given('@@remove')
  if (Array.isArray(removed) && Array.isArray(value)) {
    value = value.filter((item) => !removed.includes(item))
  }
  return value
}

/** What levels below may still do when this policy has had its say. */
function limit({ allowed, parts }: Allowance, policy: PolicyTree): Allowance {
  const inner = new Map(parts)
  for (const [key, node] of Object.entries(policy)) {
    if (isTree(node)) inner.set(key, limit(parts.get(key) ?? everything, node))
  }
  return { allowed: allowed.intersection(allowedBy(policy[control])), parts: inner }
}

function allowedBy(words: PolicyTree | Value | undefined): ReadonlySet<Operator> {
  if (!Array.isArray(words) || words.includes('@@all')) return all
  return new Set(operators.filter((operator) => words.includes(operator)))
}
