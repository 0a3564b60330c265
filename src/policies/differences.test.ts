/**
 * Where Imago and the independent evaluator understand a policy in different ways, and why
 * Imago is right by AWS's documentation. Everything else is compared by chance next door.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Given, loadOtherEvaluator } from '../../test/other-evaluator.ts'
import { type Json, ownAccount, type Request } from '../../test/random-policies.ts'
import { outcomeOf } from './testing.ts'

const evaluate = loadOtherEvaluator()

const bob: Request = {
  principal: { kind: 'user', accountId: ownAccount, arn: `arn:aws:iam::${ownAccount}:user/bob` },
  action: 'ec2:StartInstances',
  resource: `arn:aws:ec2:us-east-1:${ownAccount}:instance/i-1`,
  context: {},
}
const allowed = { Effect: 'Allow', Action: '*', Resource: '*' }
const policy = (statement: Json, Version = '2012-10-17'): Json => ({
  Version,
  Statement: { ...allowed, ...statement },
})

interface Difference {
  readonly request?: Partial<Request>
  readonly statement?: Json
  readonly version?: string
  readonly more?: Partial<Given>
  /** Whether Imago allows it. The other one does the opposite. */
  readonly isAllowed: boolean
}

function check({ request, statement, version, more, isAllowed }: Difference): void {
  const identity = statement ? [policy(statement, version)] : []
  const given: Given = { request: { ...bob, ...request }, identity, ...more }
  assert.equal(outcomeOf(given) === 'allowed', isAllowed, 'Imago')
  assert.equal(evaluate(given) === 'allowed', !isAllowed, 'the other one')
}

const here = (Condition: Json, context: Request['context'], isAllowed: boolean) =>
  check({ statement: { Condition }, request: { context }, isAllowed })

test('a wildcard may stand for the type of a resource, as in the examples of EC2', () => {
  // "arn:aws:ec2:us-east-1:account-id:*/*" in "Grant permission to tag resources during creation"
  check({ statement: { Resource: 'arn:aws:ec2:*:*:*/*' }, isAllowed: true })
})

test('ARNs are compared with the case of their letters, in every part', () => {
  check({ statement: { Resource: 'arn:aws:EC2:*:*:instance/*' }, isAllowed: false })
})

test('an ARN without all of its parts stands for others only by a wildcard', () => {
  check({ statement: { Resource: 'arn:aws:ec2' }, isAllowed: false })
  // "If the * wildcard is the last character of a segment, it can expand beyond the colon boundaries"
  check({ statement: { Resource: 'arn:aws:ec2:*:instance/*' }, isAllowed: true })
})

test('NotResource is the opposite of Resource for every ARN, also for a short one', () => {
  const { Resource: _, ...rest } = allowed
  const identity = [{ ...policy({}), Statement: { ...rest, NotResource: 'arn:aws:s3:*' } }]
  check({ more: { identity }, isAllowed: true })
})

test('a resource with a variable that has no value is no resource, so NotResource is all', () => {
  const { Resource: _, ...rest } = allowed
  const NotResource = 'arn:aws:ec2:*:*:instance/${aws:username}'
  check({
    more: { identity: [{ ...policy({}), Statement: { ...rest, NotResource } }] },
    isAllowed: true,
  })
})

test('nothing equals a variable without a value, so a negated comparison holds', () => {
  const Condition = { StringNotEquals: { 'ec2:Owner': '${aws:PrincipalTag/Team}' } }
  here(Condition, { 'ec2:Owner': 'amazon' }, true)
})

test('`${*}` is a star wherever variables may be, also where a star is no wildcard', () => {
  here({ StringEquals: { 'aws:username': '${*}' } }, { 'aws:username': '*' }, true)
})

test('a variable whose value is empty has a value', () => {
  const Condition = { StringEquals: { 'ec2:Owner': "x${aws:username, 'bob'}" } }
  here(Condition, { 'ec2:Owner': 'x', 'aws:username': '' }, true)
})

test('the range of all IPv4 addresses has every one of them in it', () => {
  here({ IpAddress: { 'aws:SourceIp': '0.0.0.0/0' } }, { 'aws:SourceIp': '203.0.113.7' }, true)
})

test('an IPv6 address is not some IPv4 address', () => {
  const Condition = { NotIpAddress: { 'aws:SourceIp': '203.0.113.7' } }
  here(Condition, { 'aws:SourceIp': '2001:db8::1' }, true)
})

test('an IPv6 address is the same however its zeroes are written', () => {
  const Condition = { IpAddress: { 'aws:SourceIp': '2001:db8::1' } }
  here(Condition, { 'aws:SourceIp': '2001:db8:0:0:0:0:0:1' }, true)
})

test('a date that is a number counts seconds', () => {
  const Condition = { DateEquals: { 'aws:CurrentTime': '1767225600' } }
  here(Condition, { 'aws:CurrentTime': '2026-01-01T00:00:00Z' }, true)
})

test('a number with letters behind it is no number', () => {
  here({ NumericEquals: { 'ec2:VolumeSize': '8GiB' } }, { 'ec2:VolumeSize': '8' }, false)
})

test('bytes are compared, not how base64 spells them', () => {
  here({ BinaryEquals: { 'x:Bytes': 'aGVsbG8=' } }, { 'x:Bytes': 'aGVsbG8' }, true)
})

test('variables came with version 2012-10-17: before, they stand for themselves', () => {
  const Resource = 'arn:aws:ec2:*:*:instance/${aws:username}'
  const request = { context: { 'aws:username': 'i-1' } }
  check({ statement: { Resource }, version: '2008-10-17', request, isAllowed: false })
})

test('a list without values is a key that is not there', () => {
  here({ Null: { 'aws:TagKeys': 'true' } }, { 'aws:TagKeys': [] }, true)
})

test('the root user of an account needs no policy', () => {
  const arn = `arn:aws:iam::${ownAccount}:root`
  check({ request: { principal: { kind: 'root', accountId: ownAccount, arn } }, isAllowed: true })
})

const session = (behind: string): Request['principal'] => ({
  kind: 'session',
  accountId: ownAccount,
  arn: `arn:aws:sts::${ownAccount}:assumed-role/builder/i-1`,
  behindArn: `arn:aws:iam::${ownAccount}:role/${behind}`,
})

test('what a resource gives to a session by name, the policies of the session do not limit', () => {
  const principal = session('builder')
  const resource = policy({
    Principal: { AWS: `arn:aws:sts::${ownAccount}:assumed-role/builder/i-1` },
  })
  const none = policy({ Action: 's3:GetObject' })
  check({ request: { principal }, more: { resource, session: none }, isAllowed: true })
})

test('a role in another path is another role', () => {
  const resource = policy({ Principal: { AWS: `arn:aws:iam::${ownAccount}:role/teams/builder` } })
  check({ request: { principal: session('builder') }, more: { resource }, isAllowed: false })
})
