import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePolicy } from './parse.ts'
import { lengthOf, type PolicyKind, requireInlineLength, requireManagedLength } from './policy.ts'

const statement = { Effect: 'Allow', Action: 'ec2:RunInstances', Resource: '*' }
const { Resource: _resource, ...withoutResource } = statement
const { Action: _action, ...withoutAction } = statement
const trust = {
  Effect: 'Allow',
  Action: 'sts:AssumeRole',
  Principal: { Service: 'ec2.amazonaws.com' },
}

const of = (...statements: readonly unknown[]) => ({
  Version: '2012-10-17',
  Statement: statements.length === 1 ? statements[0] : statements,
})
const withCondition = (Condition: unknown) => of({ ...statement, Condition })
const withResource = (Resource: unknown) => of({ ...statement, Resource })

function refusal(document: unknown, kind: PolicyKind = 'managed'): string {
  const text = typeof document === 'string' ? document : JSON.stringify(document)
  try {
    parsePolicy(text, kind)
  } catch (error) {
    assert(error instanceof Error)
    return error.message
  }
  return 'taken'
}

test('what is said in several places is not said twice', () => {
  const Condition = {
    StringEquals: { 'aws:username': ['{"Effect":1,"Effect":2}', '\\"a":', ':'] },
    StringLike: { 'aws:username': 'Condition' },
  }
  assert.equal(refusal(of({ ...statement, Condition }, { ...statement, Condition })), 'taken')
})

test('what is not written as a policy is refused as a fault of syntax', () => {
  const faults = [
    'This is no JSON',
    '[]',
    '"x"',
    JSON.stringify(of(statement)).replace('{', '{"Version":"2012-10-17",'),
    JSON.stringify(of(statement)).replace('"Effect"', '"Eff\\u0065ct":"Deny","Effect"'),
    JSON.stringify(withCondition({ Bool: {}, bool: {} })).replace('"bool"', '"Bool"'),
    { Version: '2012-10-17' },
    { ...of(statement), Conditions: {} },
    { ...of(statement), Version: '2013-10-17' },
    { ...of(statement), Id: ['x'] },
    { Version: '2012-10-17', Statement: [] },
    of('x'),
    of({ ...statement, Extra: 1 }),
    of({ ...statement, Effect: 'Maybe' }),
    of({ Action: 'ec2:RunInstances', Resource: '*' }),
    of({ ...statement, Sid: {} }),
    of({ ...statement, NotAction: 'ec2:StopInstances' }),
    of({ ...statement, NotResource: [] }),
    of({ ...statement, Action: [['ec2:RunInstances']] }),
    withResource({ a: '*' }),
    withCondition([]),
    withCondition({ StringEquals: 'x' }),
    withCondition({ StringEquals: { 'aws:username': {} } }),
    withCondition({ StringEqual: { 'aws:username': 'bob' } }),
    withCondition({ 'ForAnyValue::StringEquals': { 'aws:TagKeys': 'a' } }),
    withCondition({ NullIfExists: { 'aws:username': 'true' } }),
  ]
  for (const fault of faults) {
    assert.equal(refusal(fault), 'Syntax errors in policy.', JSON.stringify(fault))
  }
})

test('what is written as a policy and is none is refused in the words of IAM', () => {
  const vendor = 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.'
  const legacy = 'The policy failed legacy parsing'
  const version = 'Policy document must be version 2012-10-17 or greater.'
  const faults: readonly (readonly [unknown, string])[] = [
    [{ Statement: statement }, version],
    [{ ...of(statement), Version: '2008-10-17' }, version],
    [of({ ...statement, Action: 'invalid' }), vendor],
    [of({ ...withoutAction, NotAction: '' }), vendor],
    [of({ ...withoutResource, Action: 'invalid' }), vendor],
    [of({ ...statement, Action: 'a a:Run' }), 'Vendor a a is not valid'],
    [of({ ...statement, Action: 'ec2*:Run' }), 'Vendor ec2* is not valid'],
    [of({ ...statement, Action: 'ec2:Run:It' }), 'Actions/Condition can contain only one colon.'],
    [of(withoutAction), 'Policy statement must contain actions.'],
    [of({ ...statement, Action: [] }), 'Policy statement must contain actions.'],
    [of(withoutResource), 'Policy statement must contain resources.'],
    [withResource([]), 'Policy statement must contain resources.'],
    [withResource('x'), 'Resource x must be in ARN format or "*".'],
    [withResource(''), 'Resource  must be in ARN format or "*".'],
    [withResource('a:b:c'), 'Partition "b" is not valid for resource "arn:b:c:*:*:*".'],
    [withResource('a:b'), 'Partition "b" is not valid for resource "arn:b:*:*:*:*".'],
    [
      withResource(['arn:error:s3:::b', 'arn:error:s3::b']),
      'Partition "error" is not valid for resource "arn:error:s3:::b".',
    ],
    [
      withResource('arn:aws'),
      'Resource vendor must be fully qualified and cannot contain regexes.',
    ],
    [withResource('arn:aws:s3::b'), legacy],
    [withResource('arn:aws::::b'), legacy],
    [of({ ...statement, Effect: 'allow' }), legacy],
    [withCondition({ DateLessThan: { 'aws:CurrentTime': 'soon' } }), legacy],
    [withCondition({ DateLessThan: { 'aws:CurrentTime': '234-13' } }), legacy],
    [withCondition({ DateLessThan: { 'aws:CurrentTime': '9223372036854775808' } }), legacy],
    [
      withResource('arn:aws:iam:us-east-1::user/x'),
      'IAM resource arn:aws:iam:us-east-1::user/x cannot contain region information.',
    ],
    [
      withResource('arn:aws:s3:us-east-1::b'),
      'Resource arn:aws:s3:us-east-1::b can not contain region information.',
    ],
    [
      of({ ...statement, Sid: 'a' }, { ...statement, Sid: 'a' }),
      'Statement IDs (SID) in a single policy must be unique.',
    ],
    [
      of({ ...statement, Sid: 'a b' }),
      'Statement IDs (SID) must be alpha-numeric. ' +
        'Check that your input satisfies the regular expression [0-9A-Za-z]*',
    ],
    [of({ ...statement, Principal: '*' }), 'Policy document should not specify a principal.'],
  ]
  for (const [fault, message] of faults) {
    assert.equal(refusal(fault), message, JSON.stringify(fault))
  }
  assert.match(
    refusal(withResource('arn:aws:iam:::x')),
    /^IAM resource path must either be "\*" or/,
  )
})

test('what IAM takes is taken', () => {
  const right = [
    of(statement),
    { ...of(statement), Id: 'x' },
    of({ ...statement, Sid: 'a' }, statement),
    of({ ...statement, Action: '*' }),
    of({ ...statement, Action: ['ec2:*', 'iam: with spaces '] }),
    withResource(['arn:aws:ec2:us-east-1::image/*', '*']),
    withResource('arn:aws:fdsasf'),
    withResource('arn:aws:iam::*:user/${aws:username}'),
    withResource('arn:aws:s3:us-east-1:123456789012:accesspoint/a'),
    withCondition({}),
    withCondition({ Anything: {} }),
    withCondition({ DateGreaterThan: { 'aws:CurrentTime': ['01T', '-292275054', '1767225600'] } }),
    withCondition({ DateGreaterThan: { 'aws:CurrentTime': '2016-12-13t2:00:00.593194+23' } }),
    withCondition({ NumericLessThan: { 'ec2:VolumeSize': 8 }, Bool: { 'ec2:Encrypted': true } }),
    withCondition({ 'ForAnyValue:StringEqualsIfExists': { 'aws:TagKeys': [] } }),
    of({ Effect: 'Deny', NotAction: 'ec2:Describe*', NotResource: '*' }),
  ]
  for (const document of right) assert.equal(refusal(document), 'taken', JSON.stringify(document))
})

test('each kind of policy has what it must have, and nothing else', () => {
  assert.equal(refusal({ Statement: trust }, 'trust'), 'taken')
  assert.equal(refusal(of(statement), 'trust'), 'Missing required field Principal')
  assert.equal(refusal(of({ ...trust, Resource: '*' }), 'trust'), 'Has prohibited field Resource')
  assert.equal(
    refusal(of({ ...trust, Action: 'ec2:RunInstances' }), 'trust'),
    'AssumeRole policy may only specify STS AssumeRole actions.',
  )
  for (const name of [
    'bob',
    'arn:aws:iam::123456789012:user/*',
    '12345678901',
    'arn:aws:iam::123456789012',
  ]) {
    assert.equal(
      refusal(of({ ...trust, Principal: { AWS: name } }), 'trust'),
      `Invalid principal in policy: "AWS":"${name}"`,
    )
  }
  const principals = {
    AWS: ['*', '123456789012', 'arn:aws:iam::123456789012:role/a/b'],
    Federated: 'cognito-identity.amazonaws.com',
    CanonicalUser: '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be',
  }
  assert.equal(refusal(of({ ...statement, Principal: principals }), 'key'), 'taken')
  assert.equal(refusal(of({ ...statement, NotPrincipal: '*' }), 'key'), 'taken')
  assert.equal(refusal({ Statement: statement }, 'service control'), 'taken')
})

test('the length of a policy is that of what is not white space', () => {
  assert.equal(lengthOf('{ "a":\n\t1 }'), 7)
  requireManagedLength('x '.repeat(6144))
  assert.throws(() => requireManagedLength('x'.repeat(6145)), {
    code: 'LimitExceeded',
    message: 'Cannot exceed quota for PolicySize: 6144',
  })
  const owner = { kind: 'user', name: 'bob' } as const
  requireInlineLength(['x'.repeat(2000), 'x'.repeat(48)], owner)
  assert.throws(() => requireInlineLength(['x'.repeat(2000), 'x'.repeat(49)], owner), {
    code: 'LimitExceeded',
    message: 'Maximum policy size of 2048 bytes exceeded for user bob',
  })
})
