/** Whether a role may be taken by a service, as its trust policy says. */
import type { ContextEntries } from '../policies/context.ts'
import { contextOf } from '../policies/context.ts'
import { decide } from '../policies/decide.ts'
import { parsePolicy } from '../policies/parse.ts'
import { entityArn } from './entity.ts'
import type { RoleOfProfile } from './profiles.ts'

export function trustsService(
  { role, details }: RoleOfProfile,
  name: string,
  keys: ContextEntries,
): boolean {
  const question = {
    principal: { kind: 'service', name },
    action: 'sts:AssumeRole',
    resource: entityArn(role),
    resourceAccountId: role.accountId,
    context: contextOf(
      { 'aws:PrincipalIsAWSService': 'true', 'aws:PrincipalServiceName': name },
      keys,
    ),
  } as const
  const policy = parsePolicy(details.trustPolicy, 'trust', 'trust policy')
  const decision = decide(question, { identity: [], resource: { policy, rulesAlone: true } })
  return decision.outcome === 'allowed'
}
