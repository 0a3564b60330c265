/**
 * The `Condition` of a statement. All of its keys must hold; of the values of one key any
 * may, or with a negated operator none. Without a set operator a key that can have several
 * values fits nothing.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 */
import type { Context } from './context.ts'
import { type Comparison, operators } from './operators.ts'

export interface Condition {
  readonly operator: string
  readonly key: string
  holds(context: Context): boolean
}

interface OperatorName {
  readonly set: 'forallvalues' | 'foranyvalue' | undefined
  readonly base: string
  readonly ifExists: boolean
}

const name = /^(?:(?<set>ForAllValues|ForAnyValue):)?(?<base>[A-Za-z]+?)(?<ifExists>IfExists)?$/i

/** Whether there is an operator of that name. */
export function isOperator(operator: string): boolean {
  return readName(operator) !== undefined
}

function readName(operator: string): OperatorName | undefined {
  const { set, base = '', ifExists } = name.exec(operator)?.groups ?? {}
  const read = {
    set: set?.toLowerCase() as OperatorName['set'],
    base: base.toLowerCase(),
    ifExists: ifExists !== undefined,
  }
  // Whether there is a value is all that `Null` asks.
  if (read.base === 'null') return read.set || read.ifExists ? undefined : read
  return operators.has(read.base) ? read : undefined
}

/** Compiles one key of an operator; nothing where there is no such operator. */
export function compileCondition(
  operator: string,
  key: string,
  values: readonly string[],
  variables: boolean,
): Condition | undefined {
  const read = readName(operator)
  if (!read) return undefined
  const folded = key.toLowerCase()
  if (read.base === 'null') {
    const wanted = values.map((value) => value.toLowerCase())
    return { operator, key, holds: (context) => wanted.includes(String(!context.has(folded))) }
  }
  const found = operators.get(read.base)
  if (!found) return undefined
  const { isNegated } = found
  const comparisons = values.map((value) => found.prepare(value, variables))
  const one = (given: string, context: Context) => compare(given, context, comparisons, isNegated)
  const holds = holdsBy(read, one, isNegated)
  return { operator, key, holds: (context) => holds(context.get(folded), context) }
}

function compare(
  given: string,
  context: Context,
  comparisons: readonly Comparison[],
  isNegated: boolean,
): boolean {
  if (isNegated) return comparisons.every((comparison) => comparison(given, context) === false)
  return comparisons.some((comparison) => comparison(given, context) === true)
}

function holdsBy(
  { set, ifExists }: OperatorName,
  one: (given: string, context: Context) => boolean,
  isNegated: boolean,
): (value: string | readonly string[] | undefined, context: Context) => boolean {
  const listOf = (value: string | readonly string[]) =>
    typeof value === 'string' ? [value] : value
  if (set === 'forallvalues') {
    return (value, context) =>
      value === undefined || listOf(value).every((given) => one(given, context))
  }
  // `IfExists` is about each value here, and so changes nothing where there is none.
  if (set === 'foranyvalue') {
    return (value, context) =>
      value !== undefined && listOf(value).some((given) => one(given, context))
  }
  return (value, context) => {
    if (value === undefined) return ifExists || isNegated
    return typeof value === 'string' && one(value, context)
  }
}
