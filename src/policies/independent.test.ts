/** The engine next to one that others wrote for the same language, on policies by chance. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Given, loadOtherEvaluator } from '../../test/other-evaluator.ts'
import {
  identityPolicy,
  ownAccount,
  principals,
  requestOf,
  resourcePolicy,
  trustPolicy,
} from '../../test/random-policies.ts'
import { outcomeOf } from './testing.ts'
import type { Decision } from './decide.ts'
import type { Principal } from './principals.ts'

const evaluate = loadOtherEvaluator()

type Outcomes = Map<Decision['outcome'], number>

function compare(given: Given, seen: Outcomes): void {
  const expected = evaluate(given)
  seen.set(expected, (seen.get(expected) ?? 0) + 1)
  assert.equal(outcomeOf(given), expected)
}

/** Each outcome has to come up often, or the comparison says little. */
function requireVariety(seen: Outcomes): void {
  for (const outcome of ['allowed', 'denied', 'not allowed'] as const) {
    assert((seen.get(outcome) ?? 0) > 50, `${outcome} came up ${seen.get(outcome) ?? 0} times`)
  }
}

const caller = fc.constantFrom(...principals)
const own = fc.constantFrom(
  ...principals.filter((one) => 'accountId' in one && one.accountId === ownAccount),
)
const sessions = fc.constantFrom(...principals.filter(({ kind }) => kind === 'session'))

test('policies of an identity are judged as an independent evaluator judges them', () => {
  const seen: Outcomes = new Map()
  fc.assert(
    fc.property(
      requestOf(own).filter(({ resource }) => !resource.includes(':kms:')),
      fc.array(identityPolicy, { minLength: 1, maxLength: 3 }),
      (request, identity) => compare({ request, identity }, seen),
    ),
    { numRuns: 3000 },
  )
  requireVariety(seen)
})

test('so are boundaries, service control policies and the policy of the resource with them', () => {
  const seen: Outcomes = new Map()
  fc.assert(
    fc.property(
      requestOf(caller),
      fc.array(identityPolicy, { maxLength: 2 }),
      fc.option(identityPolicy, { nil: undefined }),
      fc.array(fc.array(identityPolicy, { minLength: 1, maxLength: 2 }), { maxLength: 2 }),
      resourcePolicy,
      fc.boolean(),
      (request, identity, boundary, control, policy, isAlone) => {
        // A key always has a policy.
        const resource = request.resource.includes(':kms:') || !isAlone ? policy : undefined
        compare({ request, identity, boundary, control, resource }, seen)
      },
    ),
    { numRuns: 4000 },
  )
  requireVariety(seen)
})

test('so are the policies of a session', () => {
  const seen: Outcomes = new Map()
  fc.assert(
    fc.property(
      requestOf(sessions).filter(({ resource }) => !resource.includes(':kms:')),
      identityPolicy,
      identityPolicy,
      (request, one, session) => compare({ request, identity: [one], session }, seen),
    ),
    { numRuns: 2000 },
  )
  requireVariety(seen)
})

test('services, and callers without a name, have what the policy of the resource gives', () => {
  const seen: Outcomes = new Map()
  const others: Principal[] = [
    { kind: 'service', name: 'ec2.amazonaws.com' },
    { kind: 'anonymous' },
  ]
  fc.assert(
    fc.property(requestOf(fc.constantFrom(...others)), resourcePolicy, (request, resource) =>
      compare({ request, identity: [], resource }, seen),
    ),
    { numRuns: 2000 },
  )
  requireVariety(seen)
})

test('a role is taken by whom its trust policy and the policies of the caller say', () => {
  const seen: Outcomes = new Map()
  fc.assert(
    fc.property(
      requestOf(caller),
      fc.array(identityPolicy, { maxLength: 2 }),
      trustPolicy,
      (asked, identity, trust) => {
        const resource = `arn:aws:iam::${ownAccount}:role/builder`
        const request = { ...asked, action: 'sts:AssumeRole', resource }
        compare({ request, identity, resource: trust }, seen)
      },
    ),
    { numRuns: 2000 },
  )
  requireVariety(seen)
})

test('what has no resources is allowed on `*` alone', () => {
  const seen: Outcomes = new Map()
  fc.assert(
    fc.property(requestOf(own), fc.array(identityPolicy, { minLength: 1 }), (asked, identity) => {
      const request = { ...asked, action: 'ec2:DescribeImages', resource: '*' }
      compare({ request, identity }, seen)
    }),
    { numRuns: 2000 },
  )
  requireVariety(seen)
})
