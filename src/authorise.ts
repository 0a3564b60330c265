/**
 * Who may make a call: whoever is allowed all that it demands. It is asked in the call's
 * own transaction, so that what is allowed is what happens.
 */
import type { Demand } from './iam/demand.ts'
import { onAnything } from './iam/demand.ts'
import { ec2Demands } from './iam/ec2-touched.ts'
import { requireAll } from './iam/evaluate.ts'
import { isUnlimited } from './policies/unlimited.ts'
import type { DemandContext, Operation } from './wire/operation.ts'

export async function authorise(
  operation: Operation,
  input: unknown,
  context: DemandContext,
): Promise<void> {
  const { caller } = context
  // Nothing of EC2 has a policy of its own, so there is nothing else to look at.
  const isOfEc2 = (operation.service ?? 'ec2') === 'ec2'
  if (isOfEc2 && isUnlimited(caller.principal, caller.policies)) return
  requireAll(caller, await demandsOf(operation, input, context))
}

/** Each action on each resource that a call touches. */
export async function demandsOf(
  operation: Operation,
  input: unknown,
  context: DemandContext,
): Promise<readonly Demand[]> {
  const { action, service = 'ec2', demands } = operation
  if (demands) return await demands(input, context)
  if (service === 'ec2') return await ec2Demands(action, input, context)
  return [onAnything(`${service}:${action}`)]
}
