/** Finds the instance that a person means: by its id, or by its `Name` tag. */
import { setTimeout as wait } from 'node:timers/promises'
import { callEc2 } from './ec2-client.ts'
import { CommandFailed } from './failure.ts'
import type { Access } from './installation.ts'
import { type Element, itemsAt, textAt } from './xml.ts'

export interface FoundInstance {
  readonly id: string
  readonly state: string
  /** Why it is in that state, where there is something to say. */
  readonly reason: string
  readonly imageId: string
  readonly publicAddress: string
  readonly keyName: string
}

const pollMs = 300
const goneStates = ['terminated', 'shutting-down']

/** Throws where none has that id or name, or several have. */
export async function findInstance(access: Access, wanted: string): Promise<FoundInstance> {
  const query = wanted.startsWith('i-')
    ? { InstanceId: [wanted] }
    : { Filter: [{ Name: 'tag:Name', Value: [wanted] }] }
  const answer = await callEc2(access, 'DescribeInstances', query)
  const found = itemsAt(answer, 'reservationSet')
    .flatMap((reservation) => itemsAt(reservation, 'instancesSet'))
    .map(readInstance)
    .filter(({ state }) => wanted.startsWith('i-') || !goneStates.includes(state))
  const [instance, ...others] = found
  if (!instance) throw new CommandFailed(`No instance has this id or name: ${wanted}`)
  if (others.length > 0) {
    const ids = found.map(({ id }) => id).join(', ')
    throw new CommandFailed(`Say which of the instances of this name by its id: ${ids}`)
  }
  return instance
}

/** Waits while it starts. Throws where it is not about to run. */
export async function findRunningInstance(access: Access, wanted: string): Promise<FoundInstance> {
  for (;;) {
    const instance = await findInstance(access, wanted)
    const { id, state, reason } = instance
    if (state === 'running') return instance
    if (state !== 'pending') {
      throw new CommandFailed(`${id} does not run, it is ${state}${reason && `: ${reason}`}`)
    }
    await wait(pollMs)
  }
}

function readInstance(element: Element): FoundInstance {
  return {
    id: textAt(element, 'instanceId'),
    state: textAt(element, 'instanceState', 'name'),
    reason: textAt(element, 'stateReason', 'message'),
    imageId: textAt(element, 'imageId'),
    publicAddress: textAt(element, 'ipAddress'),
    keyName: textAt(element, 'keyName'),
  }
}
