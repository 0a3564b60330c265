import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { identityPolicy, type Json, principals, requestOf } from '../../test/random-policies.ts'
import type { Principal } from './principals.ts'
import { parsePolicy } from './parse.ts'
import { decisionOf } from './testing.ts'
import { isUnlimited } from './unlimited.ts'

const administrator: Json = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
}
const mostly = fc.oneof({ weight: 4, arbitrary: fc.constant(administrator) }, identityPolicy)
const accounts = principals.filter((one) => 'accountId' in one && one.accountId === '111111111111')
const caller: fc.Arbitrary<Principal> = fc.constantFrom(...accounts)

const parsed = (policy: Json) => parsePolicy(JSON.stringify(policy), 'inline of a role', 'p')

test('policies without limits refuse nothing', () => {
  let count = 0
  fc.assert(
    fc.property(
      requestOf(caller).filter(({ resource }) => !/:kms:|:role\//.test(resource)),
      fc.array(mostly, { maxLength: 2 }),
      fc.option(mostly, { nil: undefined }),
      fc.option(mostly, { nil: undefined }),
      fc.array(fc.array(mostly, { maxLength: 2 }), { maxLength: 2 }),
      (request, identity, boundary, session, control) => {
        const is = isUnlimited(request.principal, {
          identity: identity.map(parsed),
          boundary: boundary && parsed(boundary),
          session: session && [parsed(session)],
          serviceControl: control.map((level) => level.map(parsed)),
        })
        if (!is) return
        count++
        const given = { request, identity, boundary, session, control }
        assert.equal(decisionOf(given).outcome, 'allowed')
      },
    ),
    { numRuns: 2000 },
  )
  assert(count > 100, `${count} were without limits`)
})

test('what denies, asks for something or leaves something out is a limit', () => {
  const user = { kind: 'user', accountId: '1', arn: 'arn:aws:iam::1:user/u' } as const
  const is = (...statements: readonly object[]) =>
    isUnlimited(user, {
      identity: [parsed({ ...administrator, Statement: statements })],
    })
  const all = { Effect: 'Allow', Action: '*', Resource: '*' }
  assert(is(all))
  assert(!is({ ...all, Action: 'ec2:*' }))
  assert(!is({ ...all, Resource: 'arn:aws:ec2:*:*:*' }))
  assert(!is({ ...all, Condition: { Bool: { 'aws:SecureTransport': true } } }))
  assert(!is({ Effect: 'Allow', NotAction: '*', Resource: '*' }))
  assert(!is(all, { Effect: 'Deny', Action: 's3:GetObject', Resource: '*' }))
})
