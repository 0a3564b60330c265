/**
 * Start, stop and terminate: what the three have in common. All the instances
 * that a call names change, or none does.
 */
import type { InstanceStateChange } from '@aws-sdk/client-ec2'
import { ApiError } from '../lib/errors.ts'
import type { WriteCall } from '../wire/operation.ts'
import type { Cause } from './cause.ts'
import { afterRequest, type Instance, pastParticiple, type Request } from './instance.ts'
import { checkHasVolumeRoot } from './instance-store.ts'
import { findInstances } from './lookup.ts'
import { changeInstanceState } from './store.ts'
import { viewState } from './view.ts'

type Call = Pick<WriteCall<unknown>, 'tx' | 'now' | 'caller' | 'region'>

export interface ChangeRequest {
  readonly request: Exclude<Request, 'reboot'>
  readonly ids: readonly string[]
  readonly cause: Cause
  readonly isStopForced?: boolean
  readonly launchedAt?: Date
  /** Refuses an instance that has its own reasons. */
  readonly check?: (instance: Instance) => void
}

/** Instances that change with this call, and the answer to it. */
export interface ChangeResult {
  readonly changed: readonly Instance[]
  readonly changes: InstanceStateChange[]
}

export async function requestChange(call: Call, wanted: ChangeRequest): Promise<ChangeResult> {
  const { tx, now } = call
  const instances = await findInstances(tx, call, wanted.ids)
  const targets = instances.map((instance) => {
    const { request } = wanted
    if (request !== 'terminate') checkHasVolumeRoot(instance, pastParticiple[request])
    const to = afterRequest(instance, request)
    if (to !== instance.state) wanted.check?.(instance)
    return { instance, to }
  })
  const changed: Instance[] = []
  for (const { instance, to } of targets) {
    if (to === instance.state) continue
    const { cause, isStopForced, launchedAt } = wanted
    const isDone = await changeInstanceState(tx, {
      id: instance.id,
      from: instance.state,
      to,
      at: now,
      cause,
      ...(isStopForced !== undefined && { isStopForced }),
      ...(launchedAt && { launchedAt }),
    })
    if (!isDone) {
      throw new ApiError(
        'IncorrectInstanceState',
        `The state of instance '${instance.id}' changed while the call was under way. Try again.`,
      )
    }
    changed.push(instance)
  }
  const changes = targets.map(({ instance, to }) => ({
    InstanceId: instance.id,
    PreviousState: viewState(instance.state),
    CurrentState: viewState(to),
  }))
  return { changed, changes }
}

/** Refuses an instance that is protected by one of its attributes. */
export function checkUnprotected(
  { id }: Instance,
  action: 'stopped' | 'terminated',
  attributes: Readonly<Record<string, boolean>>,
): void {
  for (const [attribute, isSet] of Object.entries(attributes)) {
    if (!isSet) continue
    throw new ApiError(
      'OperationNotPermitted',
      `The instance '${id}' may not be ${action}. Modify its '${attribute}' instance attribute ` +
        'and try again.',
    )
  }
}
