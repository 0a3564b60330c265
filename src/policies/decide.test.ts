import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { Given } from '../../test/other-evaluator.ts'
import { ownAccount } from '../../test/random-policies.ts'
import { sealerOf } from '../lib/seal.ts'
import { contextOf } from './context.ts'
import { decodeRefusal, encodeRefusal, type Refusal, refusalText } from './refusal.ts'
import { decisionOf } from './testing.ts'

const arn = `arn:aws:iam::${ownAccount}:user/bob`
const request: Given['request'] = {
  principal: { kind: 'user', accountId: ownAccount, arn },
  action: 'ec2:RunInstances',
  resource: 'arn:aws:ec2:us-east-1::image/ami-1',
  context: { 'ec2:Owner': 'amazon', 'aws:TagKeys': ['a', 'b'] },
}
const policyOf = (...statements: readonly object[]) => ({
  Version: '2012-10-17',
  Statement: statements.map((one) => ({ Effect: 'Allow', Action: '*', Resource: '*', ...one })),
})
const everything = policyOf({})
const nothing = policyOf({ Action: 's3:GetObject' })

function refusalOf(given: Omit<Given, 'request'>): Refusal {
  const decision = decisionOf({ request, ...given })
  assert(decision.outcome !== 'allowed')
  return decision
}

test('a decision names the statement of the policy that made it', () => {
  const Condition = { StringEquals: { 'ec2:Owner': 'amazon' } }
  const careful = policyOf({ Sid: 'All' }, { Sid: 'NotTheirs', Effect: 'Deny', Condition })
  const denied = refusalOf({ identity: [everything, careful] })
  assert(denied.outcome === 'denied')
  assert.equal(denied.by.policy, 'inline of a role 1')
  assert.equal(denied.by.statement.index, 1)
  assert.equal(denied.by.statement.document.sid, 'NotTheirs')

  const allowed = decisionOf({ request, identity: [nothing, everything], boundary: everything })
  assert(allowed.outcome === 'allowed')
  assert.deepEqual(
    allowed.by.map(({ layer, policy }) => [layer, policy]),
    [
      ['identity', 'inline of a role 1'],
      ['boundary', 'managed 0'],
    ],
  )
})

test('a refusal says which kind of policy denies, or does not allow', () => {
  const question = {
    ...request,
    resourceAccountId: ownAccount,
    context: contextOf(request.context),
  }
  const text = (given: Omit<Given, 'request'>) => refusalText(question, refusalOf(given))
  const said =
    `User: ${arn} is not authorized to perform: ec2:RunInstances ` +
    'on resource: arn:aws:ec2:us-east-1::image/ami-1 '
  const identity = [everything]
  const because = (kind: string) => `${said}because no ${kind} allows the ec2:RunInstances action`
  assert.equal(text({ identity: [] }), because('identity-based policy'))
  assert.equal(text({ identity, boundary: nothing }), because('permissions boundary'))
  assert.equal(text({ identity, session: nothing }), because('session policy'))
  assert.equal(
    text({ identity, control: [[everything], [nothing]] }),
    because('service control policy'),
  )
  const deny = policyOf({ Effect: 'Deny' })
  assert.equal(
    text({ identity: [everything, deny] }),
    `${said}with an explicit deny in an identity-based policy`,
  )
  assert.equal(
    text({ identity, control: [[everything, deny]] }),
    `${said}with an explicit deny in a service control policy`,
  )
})

test('the encoded message of a refusal opens for its account, whole and unchanged', () => {
  const sealer = sealerOf(randomBytes(32), randomBytes)
  const question = {
    ...request,
    resourceAccountId: ownAccount,
    context: contextOf(request.context),
  }
  const caller = { accountId: ownAccount, userId: 'AIDAEXAMPLE' }
  const deny = policyOf({}, { Sid: 'No', Effect: 'Deny', Action: 'ec2:Run*' })
  const encoded = encodeRefusal(question, refusalOf({ identity: [deny] }), caller, sealer)
  assert.match(encoded, /^[\w-]+$/)
  assert(!Buffer.from(encoded, 'base64url').includes('ami-1'))

  assert.deepEqual(JSON.parse(decodeRefusal(encoded, caller, sealer)), {
    allowed: false,
    explicitDeny: true,
    matchedStatements: {
      items: [
        {
          policy: 'inline of a role 0',
          statementId: 'No',
          effect: 'DENY',
          actions: { items: [{ value: 'ec2:Run*' }] },
          resources: { items: [{ value: '*' }] },
          conditions: { items: [] },
        },
      ],
    },
    failures: { items: [] },
    context: {
      principal: { id: 'AIDAEXAMPLE', name: 'bob', arn },
      action: 'ec2:RunInstances',
      resource: 'arn:aws:ec2:us-east-1::image/ami-1',
      conditions: {
        items: [
          { key: 'ec2:owner', values: { items: [{ value: 'amazon' }] } },
          { key: 'aws:tagkeys', values: { items: [{ value: 'a' }, { value: 'b' }] } },
        ],
      },
    },
  })
  const code = 'InvalidAuthorizationMessageException'
  assert.throws(() => decodeRefusal(encoded, { accountId: '999999999999' }, sealer), { code })
  const changed = `${encoded.slice(0, 40)}${encoded[40] === 'A' ? 'B' : 'A'}${encoded.slice(41)}`
  assert.throws(() => decodeRefusal(changed, caller, sealer), { code })
  assert.throws(() => decodeRefusal('', caller, sealer), { code })
})
