/** For tests: decides from policies as JSON. */
import { type Given } from '../../test/other-evaluator.ts'
import { type Json, ownAccount } from '../../test/random-policies.ts'
import { contextOf } from './context.ts'
import { type Decision, decide } from './decide.ts'
import { parsePolicy } from './parse.ts'
import type { PolicyKind } from './policy.ts'

export function decisionOf(given: Given): Decision {
  const { request, identity, boundary, session, control = [], resource } = given
  const parsed =
    (kind: PolicyKind) =>
    (policy: Json, index = 0) =>
      parsePolicy(JSON.stringify(policy), kind, `${kind} ${index}`)
  const { principal, action, context } = request
  const question = {
    principal,
    action,
    resource: request.resource,
    resourceAccountId: ownAccount,
    context: contextOf(context),
  }
  const rulesAlone = /:kms:.*:key\/|:role\//.test(request.resource)
  const kind = request.resource.includes(':role/') ? 'trust' : 'key'
  return decide(question, {
    identity: identity.map(parsed('inline of a role')),
    boundary: boundary && parsed('managed')(boundary),
    session: session && [parsed('session')(session)],
    serviceControl: control.map((level) => level.map(parsed('service control'))),
    resource: resource && { policy: parsed(kind)(resource), rulesAlone },
  })
}

export const outcomeOf = (given: Given): Decision['outcome'] => decisionOf(given).outcome
