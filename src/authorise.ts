/**
 * Who may make a call: whoever is allowed all that it demands. It is asked in the call's
 * own transaction, so that what is allowed is what happens.
 */
import { onAnything } from './iam/demand.ts'
import { requireAll, requireNotDenied } from './iam/evaluate.ts'
import { namedResources } from './iam/named-resources.ts'
import { isUnlimited } from './policies/unlimited.ts'
import type { DemandContext, Operation } from './wire/operation.ts'

export async function authorise(
  operation: Operation,
  input: unknown,
  context: DemandContext,
): Promise<void> {
  const { caller, region } = context
  const { action, service = 'ec2' } = operation
  // Nothing of EC2 has a policy of its own.
  if (service === 'ec2' && isUnlimited(caller.principal, caller.policies)) return
  const usual = `${service}:${action}`
  requireAll(caller, (await operation.demands?.(input, context)) ?? [onAnything(usual)])
  if (service !== 'ec2') return
  const place = { region, accountId: caller.accountId }
  for (const resource of namedResources(action, input, place)) {
    requireNotDenied(caller, { action: usual, resource })
  }
}
