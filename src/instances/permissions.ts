/** What a caller needs to be allowed to do something to instances: the action, on each of them. */
import { type Demand, demandOn } from '../iam/demand.ts'
import type { CallContext } from '../wire/operation.ts'

type OnInstances =
  | { readonly InstanceId?: string | undefined }
  | { readonly InstanceIds?: readonly string[] | undefined }

/** The permissions of `action` for the instances that its input names. */
export function onInstances(action: string) {
  return (input: OnInstances, { caller, region }: CallContext): readonly Demand[] => {
    const named = 'InstanceIds' in input ? input.InstanceIds : undefined
    const one = 'InstanceId' in input ? input.InstanceId : undefined
    const ids = named ?? (one === undefined ? [] : [one])
    return (ids.length > 0 ? ids : ['*']).map((id) =>
      demandOn(`ec2:${action}`, `arn:aws:ec2:${region}:${caller.accountId}:instance/${id}`),
    )
  }
}
