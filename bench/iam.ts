/**
 * How long a decision takes where a caller has ten policies of ten statements: each with
 * several actions and resources, a variable and a condition. Next to it the evaluator that
 * the tests compare with, which parses its policies each time and explains every step.
 */
import { loadOtherEvaluator } from '../test/other-evaluator.ts'
import { contextOf } from '../src/policies/context.ts'
import { decide, type Policies } from '../src/policies/decide.ts'
import { parsePolicy } from '../src/policies/parse.ts'
import { printTable, quantile, short, spread } from './figures.ts'

const accountId = '111111111111'
const count = 10

function documentOf(policy: number): Readonly<Record<string, unknown>> {
  const Statement = Array.from({ length: count }, (_, index) => ({
    Effect: index % 5 === 4 ? 'Deny' : 'Allow',
    Action: ['ec2:Describe*', `ec2:*Image${index}`, `ec2:Delete${policy}x${index}`, 'ec2:R*s'],
    Resource: [
      `arn:aws:ec2:*:${accountId}:instance/i-${policy}${index}*`,
      'arn:aws:ec2:eu-*-1:*:volume/*',
      'arn:aws:ec2:*:*:*/${aws:username}-*',
    ],
    Condition: {
      StringEquals: { 'aws:PrincipalTag/Team': ['red', 'blue', '${aws:username}'] },
      ...(index % 5 === 4 && { IpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '2001:db8::/32'] } }),
    },
  }))
  return { Version: '2012-10-17', Statement }
}

const batches = 200
const perBatch = 100

/** Microseconds a call, for each of many batches of calls. */
function microsecondsOf(work: () => unknown, calls = perBatch): number[] {
  const batch = () => {
    const start = performance.now()
    for (let call = 0; call < calls; call++) work()
    return ((performance.now() - start) * 1000) / calls
  }
  for (let warm = 0; warm < batches / 4; warm++) batch()
  return Array.from({ length: batches }, batch)
}

export async function benchIam(): Promise<void> {
  const documents = Array.from({ length: count }, (_, index) => documentOf(index))
  const texts = documents.map((document) => JSON.stringify(document))
  const parse = () => texts.map((text) => parsePolicy(text, 'inline of a role'))
  const entries = {
    'aws:username': 'bob',
    'aws:PrincipalTag/Team': 'blue',
    'aws:SourceIp': '203.0.113.7',
  }
  const arn = `arn:aws:iam::${accountId}:user/bob`
  const principal = { kind: 'user', accountId, arn } as const
  const asked = (action: string, resource: string) => {
    const question = { principal, action, resource, resourceAccountId: accountId }
    return (policies: Policies) => decide({ ...question, context: contextOf(entries) }, policies)
  }
  const identity = parse()
  const policies: Policies = { identity }
  const every: Policies = {
    identity,
    boundary: identity[0],
    session: identity.slice(0, 1),
    serviceControl: [identity.slice(0, 5), identity.slice(5)],
  }
  const allowed = asked('ec2:DescribeImages', `arn:aws:ec2:us-east-1:${accountId}:image/bob-1`)
  const unknown = asked('ec2:RunInstances', `arn:aws:ec2:us-east-1:${accountId}:subnet/subnet-1`)
  const evaluate = loadOtherEvaluator()
  const resource = `arn:aws:ec2:us-east-1:${accountId}:image/bob-1`
  const request = { principal, action: 'ec2:DescribeImages', resource, context: entries }

  const figures: readonly (readonly [string, number[]])[] = [
    ['allowed', microsecondsOf(() => allowed(policies))],
    ['not allowed by any', microsecondsOf(() => unknown(policies))],
    ['with boundary, session and organization', microsecondsOf(() => allowed(every))],
    ['parsing the ten, once', microsecondsOf(parse, 1)],
    ['iam-simulate', microsecondsOf(() => evaluate({ request, identity: documents }), 1)],
  ]
  printTable([
    ['a decision by 10 policies of 10 statements', 'µs', 'p99'],
    ...figures.map(([name, taken]) => [name, spread(taken), short(quantile(taken, 0.99))]),
  ])
}
