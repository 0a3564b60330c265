/**
 * For tests: policies and requests by chance, from words few enough that they often fit
 * each other. What Imago and the independent evaluator understand in different ways is
 * not among them: each of those differences has a test of its own.
 */
import fc from 'fast-check'
import type { ContextValue } from '../src/policies/context.ts'
import type { Principal } from '../src/policies/principals.ts'

export type Json = Readonly<Record<string, unknown>>

export interface Request {
  readonly principal: Principal
  readonly action: string
  readonly resource: string
  readonly context: Readonly<Record<string, ContextValue>>
}

export const ownAccount = '111111111111'
export const otherAccount = '222222222222'

const actions = ['ec2:RunInstances', 'ec2:StartInstances', 'ec2:CreateTags', 'kms:Decrypt']
const actionPatterns = [
  ...actions,
  '*',
  'ec2:*',
  'ec2:Run*',
  'ec2:*Instances',
  'ec2:?unInstances',
  'ec2:CREATETAGS',
  'ec2:*a*n*',
  'kms:De*t',
  's3:*',
  'sts:AssumeRole',
  'ec2:Describe*',
]

const key = `arn:aws:kms:us-east-1:${ownAccount}:key/1234`
const resources = [
  `arn:aws:ec2:us-east-1:${ownAccount}:instance/i-1`,
  `arn:aws:ec2:eu-west-1:${ownAccount}:instance/bob`,
  'arn:aws:ec2:us-east-1::image/ami-1',
  key,
]
const fullPatterns = [
  ...resources,
  '*',
  'arn:aws:ec2:*:*:instance/*',
  'arn:aws:ec2:us-*-1:*:instance/i-?',
  `arn:aws:ec2:*:${ownAccount}:*`,
  'arn:aws:ec2:u*:*1:instance/*o*',
  'arn:aws:ec2:*::image/ami-*',
  'arn:*:kms:*:*:key/*',
  "arn:aws:ec2:*:*:instance/${aws:username, 'bob'}",
  'arn:aws:ec2:*:*:instance/${aws:userid}',
  'arn:aws:ec2:*:*:instance/${*}',
  'arn:aws:ec2:*:*:instance/${AWS:UserId}*',
]
const shortPatterns = ['arn:aws:ec2:*', 'arn:aws:*', 'arn:aws:ec2:us-east-1:*']

const values = {
  String: ['bob', 'i-1', 'BOB', '', 'b*', '*', '?o?', '${aws:userid}', "${aws:username, 'bob'}"],
  Numeric: ['0', '8', '8.0', '100', '-1', '7.5'],
  Date: ['2026-01-01T00:00:00Z', '2027-06-01', '2026-01-01T02:00:00+02:00'],
  Bool: ['true', 'false', 'True'],
  Binary: ['aGVsbG8=', 'd29ybGQ='],
  Ip: ['203.0.113.0/24', '203.0.113.7/32', '2001:db8::/32', '2001:db8::1/128', '10.0.0.0/8'],
  Arn: [...resources, 'arn:aws:ec2:*:*:instance/*', 'arn:aws:ec2:us-*-1:*:*', 'arn:*:*:*:*:*'],
} as const

const keys = {
  String: ['aws:username', 'aws:PrincipalTag/Team', 'aws:TagKeys'],
  Numeric: ['ec2:VolumeSize', 'ec2:MetadataHttpPutResponseHopLimit'],
  Date: ['aws:CurrentTime', 'aws:TokenIssueTime'],
  Bool: ['aws:SecureTransport', 'aws:MultiFactorAuthPresent'],
  Binary: ['x:Bytes'],
  Ip: ['aws:SourceIp', 'aws:VpcSourceIp'],
  Arn: ['aws:SourceArn', 'aws:PrincipalArn'],
} as const

const comparisons = ['', 'Not', 'LessThan', 'LessThanEquals', 'GreaterThan', 'GreaterThanEquals']
const ordered = (type: string) =>
  comparisons.map((one) => `${type}${one}${/Than/.test(one) ? '' : 'Equals'}`)

const operators: Readonly<Record<keyof typeof values, readonly string[]>> = {
  String: ['Equals', 'NotEquals', 'EqualsIgnoreCase', 'NotEqualsIgnoreCase', 'Like', 'NotLike'].map(
    (one) => `String${one}`,
  ),
  Numeric: ordered('Numeric'),
  Date: ordered('Date'),
  Bool: ['Bool'],
  Binary: ['BinaryEquals'],
  Ip: ['IpAddress', 'NotIpAddress'],
  Arn: ['ArnEquals', 'ArnLike', 'ArnNotEquals', 'ArnNotLike'],
}

const oneOrMore = <T>(one: fc.Arbitrary<T>) =>
  fc.oneof(one, fc.array(one, { minLength: 1, maxLength: 3 }))

const condition = fc
  .constantFrom(...(Object.keys(values) as (keyof typeof values)[]))
  .chain((type) =>
    fc.record({
      set: fc.constantFrom('', '', 'ForAllValues:', 'ForAnyValue:'),
      operator: fc.constantFrom(...operators[type]),
      suffix: fc.constantFrom('', 'IfExists'),
      key: fc.constantFrom(...keys[type], keys[type][0].toUpperCase()),
      values: oneOrMore(fc.constantFrom(...values[type])),
    }),
  )
  .map((one) => [`${one.set}${one.operator}${one.suffix}`, { [one.key]: one.values }] as const)

const nullCondition = fc
  .record({
    key: fc.constantFrom(...Object.values(keys).flat()),
    value: fc.constantFrom('true', 'false'),
  })
  .map((one) => ['Null', { [one.key]: one.value }] as const)

const conditions = fc
  .array(fc.oneof({ weight: 5, arbitrary: condition }, nullCondition), { maxLength: 2 })
  .map((several) => Object.fromEntries(several))

const effects = fc.constantFrom('Allow', 'Allow', 'Allow', 'Deny')

const action = fc.oneof(
  { weight: 4, arbitrary: fc.record({ Action: oneOrMore(fc.constantFrom(...actionPatterns)) }) },
  fc.record({ NotAction: oneOrMore(fc.constantFrom(...actionPatterns)) }),
)

const resource = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      Resource: oneOrMore(fc.constantFrom(...fullPatterns, ...shortPatterns, '*', '*')),
    }),
  },
  fc.record({ NotResource: oneOrMore(fc.constantFrom(...fullPatterns)) }),
)

const parts = (several: readonly Json[]): Json => Object.assign({}, ...several) as Json

const statementOf = (...more: fc.Arbitrary<Json>[]) =>
  fc
    .tuple(
      fc.record({ Effect: effects, Condition: conditions }, { requiredKeys: ['Effect'] }),
      ...more,
    )
    .map(parts)

const policyOf = (statement: fc.Arbitrary<Json>) =>
  fc
    .array(statement, { minLength: 1, maxLength: 4 })
    .map((Statement): Json => ({ Version: '2012-10-17', Statement }))

/** A policy of an identity, a boundary, a session, or an organization. */
export const identityPolicy = policyOf(statementOf(action, resource))

const principalNames = [
  ownAccount,
  `arn:aws:iam::${ownAccount}:root`,
  `arn:aws:iam::${otherAccount}:root`,
  `arn:aws:iam::${ownAccount}:user/bob`,
  `arn:aws:iam::${otherAccount}:user/eve`,
  `arn:aws:iam::${ownAccount}:role/builder`,
  `arn:aws:sts::${ownAccount}:assumed-role/builder/i-1`,
  '*',
]
const named = fc.oneof(
  fc.constant('*'),
  fc.record({ AWS: oneOrMore(fc.constantFrom(...principalNames)) }),
  fc.record({ Service: fc.constantFrom('ec2.amazonaws.com', 's3.amazonaws.com') }),
)
const principal = fc.oneof(
  { weight: 4, arbitrary: fc.record({ Principal: named }) },
  fc.record({ NotPrincipal: named }),
)

export const resourcePolicy = policyOf(statementOf(action, resource, principal))

/** The policy that a role has: who may take it. */
export const trustPolicy = policyOf(
  statementOf(fc.constant({ Action: 'sts:AssumeRole' }), fc.record({ Principal: named })),
)

export const principals: readonly Principal[] = [
  { kind: 'user', accountId: ownAccount, arn: `arn:aws:iam::${ownAccount}:user/bob` },
  { kind: 'user', accountId: otherAccount, arn: `arn:aws:iam::${otherAccount}:user/eve` },
  {
    kind: 'session',
    accountId: ownAccount,
    arn: `arn:aws:sts::${ownAccount}:assumed-role/builder/i-1`,
    behindArn: `arn:aws:iam::${ownAccount}:role/builder`,
  },
  {
    kind: 'session',
    accountId: otherAccount,
    arn: `arn:aws:sts::${otherAccount}:assumed-role/auditor/kim`,
    behindArn: `arn:aws:iam::${otherAccount}:role/auditor`,
  },
]

const someContext = fc.record(
  {
    'aws:username': fc.constantFrom('bob', 'i-1', 'b*'),
    'aws:PrincipalTag/Team': fc.constantFrom('bob', 'Bob', 'i-1', '*'),
    'aws:TagKeys': fc.subarray(['bob', 'i-1', 'BOB'], { minLength: 1 }),
    'ec2:VolumeSize': fc.constantFrom('8', '100', '7.5'),
    'ec2:MetadataHttpPutResponseHopLimit': fc.constantFrom('0', '1'),
    'aws:CurrentTime': fc.constantFrom('2026-01-01T00:00:00Z', '2026-11-23T12:00:00Z'),
    'aws:TokenIssueTime': fc.constant('2027-07-01T00:00:00Z'),
    'aws:SecureTransport': fc.constantFrom('true', 'false'),
    'aws:MultiFactorAuthPresent': fc.constantFrom('true', 'false'),
    'x:Bytes': fc.constantFrom('aGVsbG8=', 'AAAA'),
    'aws:SourceIp': fc.constantFrom('203.0.113.7', '10.1.2.3', '2001:db8::1', '2001:db9::1'),
    'aws:VpcSourceIp': fc.constantFrom('10.1.2.3'),
    'aws:SourceArn': fc.constantFrom(...resources),
    'aws:PrincipalArn': fc.constantFrom(...resources, principalNames[3] ?? ''),
  },
  { requiredKeys: [] },
)

export const context = someContext.map((entries): Readonly<Record<string, ContextValue>> => ({
  ...entries,
  'aws:userid': 'i-1',
}))

export const requestOf = (who: fc.Arbitrary<Principal>): fc.Arbitrary<Request> =>
  fc
    .record({
      principal: who,
      action: fc.constantFrom(...actions),
      resource: fc.constantFrom(...resources),
      context,
    })
    // The rules of keys are those of the actions of their service.
    .filter(({ action: one, resource: on }) => one.startsWith('kms:') === (on === key))
