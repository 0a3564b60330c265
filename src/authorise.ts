/**
 * Who may make a call: whoever is allowed all that it demands. It is asked in the call's
 * own transaction, so that what is allowed is what happens.
 */
import { type Demand, onAnything } from './iam/demand.ts'
import { ec2Demands } from './iam/ec2-touched.ts'
import { requireAll } from './iam/evaluate.ts'
import { organizationDemands } from './organizations/demands.ts'
import { isUnlimited } from './policies/unlimited.ts'
import type { ServiceName } from './wire/codec.ts'
import type { DemandContext, Operation } from './wire/operation.ts'

/** The services of which resources have policies of their own, which can refuse anybody. */
const guarded: readonly ServiceName[] = ['kms', 'sts']

export async function authorise(
  operation: Operation,
  input: unknown,
  context: DemandContext,
): Promise<void> {
  const { caller } = context
  const isGuarded = guarded.includes(operation.service ?? 'ec2')
  if (!isGuarded && isUnlimited(caller.principal, caller.policies)) return
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
  if (service === 'organizations') return await organizationDemands(action, input, context)
  return [onAnything(`${service}:${action}`)]
}
