/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StartInstances.html */
import type { StartInstancesRequest, StartInstancesResult } from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { assignPublicIps } from '../../network/public-address.ts'
import { listAttachments } from '../../volumes/store.ts'
import { type WriteCall, writeOperation } from '../../wire/operation.ts'
import { checkTpmHost, countFitting, insufficientCapacity } from '../capacity.ts'
import { launching } from '../cause.ts'
import { type Instance, statesWithCapacity } from '../instance.ts'
import { instanceTypeNamed } from '../instance-type.ts'
import { requestChange } from '../request-change.ts'
import { listTypesInUse } from '../store.ts'

type Call = WriteCall<StartInstancesRequest>

export const startInstances = writeOperation<StartInstancesRequest, StartInstancesResult>({
  action: 'StartInstances',

  async run(call) {
    const typesInUse = await listTypesInUse(call.tx, statesWithCapacity)
    const { changed, changes } = await requestChange(call, {
      request: 'start',
      ids: call.input.InstanceIds ?? [],
      cause: launching,
      isStopForced: false,
      launchedAt: call.now,
    })
    checkCapacity(call, changed, typesInUse)
    await checkRootVolumes(call, changed)
    for (const { id } of changed) await assignPublicIps(call, id)
    return { StartingInstances: changes }
  },
})

function checkCapacity({ readers }: Call, starting: readonly Instance[], inUse: string[]): void {
  const taken = [...inUse]
  for (const { instanceType, availabilityZone, tpmSupport } of starting) {
    if (tpmSupport !== undefined) checkTpmHost(readers)
    const type = instanceTypeNamed(instanceType)
    if (countFitting(type, taken, readers.host()) < 1) {
      throw insufficientCapacity(type, availabilityZone)
    }
    taken.push(instanceType)
  }
}

/** A machine without the disk that it boots from is never started. */
async function checkRootVolumes({ tx }: Call, starting: readonly Instance[]): Promise<void> {
  const attachments = await listAttachments(tx, {
    instanceIds: starting.map(({ id }) => id),
    states: ['attaching', 'attached'],
  })
  for (const { id, rootDeviceName } of starting) {
    const root = attachments.find(
      ({ instanceId, device }) => instanceId === id && device === rootDeviceName,
    )
    if (root) continue
    throw new ApiError(
      'InvalidParameterValue',
      `Invalid value '${id}' for instanceId. Instance does not have a volume attached at root ` +
        `(${rootDeviceName})`,
    )
  }
}
