/**
 * The JSON of a policy, read as far as the grammar goes: which elements there are, and
 * that each is of its type. What the elements say is for others to judge.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
import { namesTwice } from '../lib/json.ts'
import { isOperator } from './conditions.ts'

export interface PolicyDocument {
  readonly id: string | undefined
  readonly version: string | undefined
  readonly statements: readonly StatementDocument[]
}

export interface StatementDocument {
  readonly sid: string | undefined
  /** In whatever case it was written. */
  readonly effect: string
  readonly principal: Element<PrincipalDocument> | undefined
  readonly action: Element<readonly string[]> | undefined
  readonly resource: Element<readonly string[]> | undefined
  readonly conditions: readonly ConditionDocument[]
}

/** `Action`, or else `NotAction`. */
export interface Element<T> {
  readonly isNegated: boolean
  readonly value: T
}

/** By kind: `AWS`, `Service`, `Federated`, `CanonicalUser`. */
export type PrincipalDocument = '*' | Readonly<Record<string, readonly string[]>>

export interface ConditionDocument {
  readonly operator: string
  readonly key: string
  readonly values: readonly string[]
}

class SyntaxFault extends Error {}

/** Nothing where the text is no policy. What is said twice would be half of what was meant. */
export function readDocument(text: string): PolicyDocument | undefined {
  try {
    const value: unknown = JSON.parse(text)
    require(!namesTwice(text))
    return policyOf(value)
  } catch (error) {
    if (error instanceof SyntaxFault || error instanceof SyntaxError) return undefined
    throw error
  }
}

function policyOf(value: unknown): PolicyDocument {
  const policy = objectOf(value, ['Version', 'Id', 'Statement'])
  const statements = Array.isArray(policy['Statement'])
    ? policy['Statement']
    : [policy['Statement']]
  require(statements.length > 0)
  const version = textOf(policy['Version'])
  require(version === undefined || version === '2008-10-17' || version === '2012-10-17')
  return { id: textOf(policy['Id']), version, statements: statements.map(statementOf) }
}

const pairs = ['Principal', 'Action', 'Resource'] as const
const elements = ['Sid', 'Effect', 'Condition', ...pairs.flatMap((name) => [name, `Not${name}`])]

function statementOf(value: unknown): StatementDocument {
  const statement = objectOf(value, elements)
  const effect = textOf(statement['Effect'])
  require(effect !== undefined && /^(allow|deny)$/i.test(effect))
  return {
    sid: textOf(statement['Sid']),
    effect: effect ?? '',
    principal: elementOf(statement, 'Principal', principalsOf),
    action: elementOf(statement, 'Action', textsOf),
    resource: elementOf(statement, 'Resource', textsOf),
    conditions: 'Condition' in statement ? conditionsOf(statement['Condition']) : [],
  }
}

/** An element that is there as itself or as its opposite, and never as both. */
function elementOf<T>(
  statement: Readonly<Record<string, unknown>>,
  name: (typeof pairs)[number],
  read: (value: unknown) => T,
): Element<T> | undefined {
  const isNegated = `Not${name}` in statement
  if (!isNegated && !(name in statement)) return undefined
  require(!(isNegated && name in statement))
  return { isNegated, value: read(statement[isNegated ? `Not${name}` : name]) }
}

function principalsOf(value: unknown): PrincipalDocument {
  if (value === '*') return '*'
  const byKind = objectOf(value, ['AWS', 'Service', 'Federated', 'CanonicalUser'])
  return Object.fromEntries(Object.entries(byKind).map(([kind, names]) => [kind, textsOf(names)]))
}

/** What has no keys may have any name. */
function conditionsOf(value: unknown): ConditionDocument[] {
  return Object.entries(objectOf(value)).flatMap(([operator, keys]) => {
    const entries = Object.entries(objectOf(keys))
    require(entries.length === 0 || isOperator(operator))
    return entries.map(([key, values]) => ({ operator, key, values: scalarsOf(values) }))
  })
}

function objectOf(value: unknown, names?: readonly string[]): Readonly<Record<string, unknown>> {
  require(typeof value === 'object' && value !== null && !Array.isArray(value))
  const object = value as Readonly<Record<string, unknown>>
  require(!names || Object.keys(object).every((name) => names.includes(name)))
  return object
}

function textOf(value: unknown): string | undefined {
  require(value === undefined || typeof value === 'string')
  return value as string | undefined
}

function textsOf(value: unknown): readonly string[] {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value]
  require(texts.every((one) => typeof one === 'string'))
  return texts as readonly string[]
}

/** `true` and `7` may stand without quotes. */
function scalarsOf(value: unknown): readonly string[] {
  const scalars: readonly unknown[] = Array.isArray(value) ? value : [value]
  require(scalars.every((one) => ['string', 'number', 'boolean'].includes(typeof one)))
  return scalars.map(String)
}

function require(isRight: boolean): void {
  if (!isRight) throw new SyntaxFault()
}
