/**
 * The condition operators: how one value of a policy is compared with one value of a
 * request. Where the two cannot be compared, such as a word with a number, the condition
 * does not hold, be it negated or not.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
import { BlockList, isIP } from 'node:net'
import { compileArn, subjectOf } from './arn-pattern.ts'
import type { Context } from './context.ts'
import { dateOf, numberOf } from './scalars.ts'
import { compilePattern, type Grammar } from './pattern.ts'

/** Whether a value of the request fits; nothing where the two cannot be compared. */
export type Comparison = (given: string, context: Context) => boolean | undefined

export interface Operator {
  readonly isNegated: boolean
  /** Prepares the comparison with one value of a policy. */
  prepare(value: string, variables: boolean): Comparison
}

type Prepare = Operator['prepare']

const text =
  (grammar: Omit<Grammar, 'variables'>): Prepare =>
  (value, variables) => {
    const pattern = compilePattern(value, { ...grammar, variables })
    return (given, context) => pattern.fits(given, context)
  }

const scalar =
  (read: (text: string) => number | undefined, holds: (given: number, value: number) => boolean) =>
  (value: string): Comparison => {
    const wanted = read(value)
    return (text) => {
      const given = read(text)
      return given === undefined || wanted === undefined ? undefined : holds(given, wanted)
    }
  }

const truth: Prepare = (value, variables) => {
  const pattern = compilePattern(value, { wildcards: false, variables, ignoresCase: true })
  return (given, context) =>
    /^(true|false)$/i.test(given) ? pattern.fits(given, context) : undefined
}

const bytes: Prepare = (value) => {
  const wanted = Buffer.from(value, 'base64')
  return (given) => wanted.equals(Buffer.from(given, 'base64'))
}

const arn: Prepare = (value, variables) => {
  const pattern = compileArn(value, variables)
  return (given, context) => {
    const subject = subjectOf(given)
    return pattern && subject.parts ? pattern.fits(subject, context) : undefined
  }
}

const families = { 4: 'ipv4', 6: 'ipv6' } as const

function family(address: string): 'ipv4' | 'ipv6' | undefined {
  const version = isIP(address)
  return version === 4 || version === 6 ? families[version] : undefined
}

/** An address, or a range of them: `203.0.113.0/24`, `2001:db8::/32`. */
const address: Prepare = (value) => {
  const [network = '', length] = value.split('/')
  const ofNetwork = family(network)
  const lengthMax = ofNetwork === 'ipv4' ? 32 : 128
  const bits = length === undefined ? lengthMax : Number(length)
  if (!ofNetwork || !/^\d{1,3}$/.test(length ?? '0') || bits > lengthMax) return () => undefined
  const range = new BlockList()
  range.addSubnet(network, bits, ofNetwork)
  return (given) => {
    const ofGiven = family(given)
    return ofGiven && range.check(given, ofGiven)
  }
}

const is = (prepare: Prepare): Operator => ({ isNegated: false, prepare })
const isNot = (prepare: Prepare): Operator => ({ isNegated: true, prepare })

const equal = text({ wildcards: false })
const equalIgnoringCase = text({ wildcards: false, ignoresCase: true })
const like = text({ wildcards: true })

/** By their names in lower case. `Null` is no comparison, and not among them. */
export const operators: ReadonlyMap<string, Operator> = new Map([
  ['stringequals', is(equal)],
  ['stringnotequals', isNot(equal)],
  ['stringequalsignorecase', is(equalIgnoringCase)],
  ['stringnotequalsignorecase', isNot(equalIgnoringCase)],
  ['stringlike', is(like)],
  ['stringnotlike', isNot(like)],
  ['numericequals', is(scalar(numberOf, (given, value) => given === value))],
  ['numericnotequals', isNot(scalar(numberOf, (given, value) => given === value))],
  ['numericlessthan', is(scalar(numberOf, (given, value) => given < value))],
  ['numericlessthanequals', is(scalar(numberOf, (given, value) => given <= value))],
  ['numericgreaterthan', is(scalar(numberOf, (given, value) => given > value))],
  ['numericgreaterthanequals', is(scalar(numberOf, (given, value) => given >= value))],
  ['dateequals', is(scalar(dateOf, (given, value) => given === value))],
  ['datenotequals', isNot(scalar(dateOf, (given, value) => given === value))],
  ['datelessthan', is(scalar(dateOf, (given, value) => given < value))],
  ['datelessthanequals', is(scalar(dateOf, (given, value) => given <= value))],
  ['dategreaterthan', is(scalar(dateOf, (given, value) => given > value))],
  ['dategreaterthanequals', is(scalar(dateOf, (given, value) => given >= value))],
  ['bool', is(truth)],
  ['binaryequals', is(bytes)],
  ['ipaddress', is(address)],
  ['notipaddress', isNot(address)],
  // Both pairs do the same: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
  ['arnequals', is(arn)],
  ['arnnotequals', isNot(arn)],
  ['arnlike', is(arn)],
  ['arnnotlike', isNot(arn)],
])
