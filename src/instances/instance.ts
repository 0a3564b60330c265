/**
 * The life of an instance.
 *
 *     start          ┌────────── start ───────────┐
 *       │            ▼                            │
 *       └──▶ pending ──▶ running ──▶ stopping ──▶ stopped
 *               │           │           │           │
 *               └───────────┴─────┬─────┴───────────┘  terminate
 *                                 ▼
 *                          shutting-down ──▶ terminated
 *
 * The three states that end in "-ing" are promises: the caller has been told
 * that the instance is on its way, and the reconciler keeps at it until it is
 * there. So a state is at once what the caller sees and what we still owe.
 */
import { ApiError } from '../lib/errors.ts'
import { type Id, isId } from '../lib/ids.ts'
import type { MetadataOptions } from './metadata-options.ts'
import type { Cause } from './cause.ts'

export type InstanceState = keyof typeof stateCodes

/** The numbers that EC2 gives the states. */
export const stateCodes = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
} as const

/** Where a state leads to by itself, when the work that it promises is done. */
export const settlesTo = {
  pending: 'running',
  stopping: 'stopped',
  'shutting-down': 'terminated',
} as const satisfies Partial<Record<InstanceState, InstanceState>>

/** Where an instance may have a machine: it is made before the instance runs, and ends last. */
export const mayHaveMachine = {
  pending: true,
  running: true,
  stopping: true,
  'shutting-down': true,
  stopped: false,
  terminated: false,
} as const satisfies Record<InstanceState, boolean>

/** What a caller may ask for, from which state, and the state it leads to. */
export const requests = {
  start: { stopped: 'pending', pending: 'pending', running: 'running' },
  stop: { running: 'stopping', stopping: 'stopping', stopped: 'stopped' },
  reboot: { running: 'running' },
  terminate: {
    pending: 'shutting-down',
    running: 'shutting-down',
    stopping: 'shutting-down',
    stopped: 'shutting-down',
    'shutting-down': 'shutting-down',
    terminated: 'terminated',
  },
} as const satisfies Record<string, Partial<Record<InstanceState, InstanceState>>>

export type Request = keyof typeof requests

/** What an instance does when its own system powers it off. */
export type ShutdownBehavior = 'stop' | 'terminate'

export type BootMode = 'legacy-bios' | 'uefi' | 'uefi-preferred'

export interface Instance {
  readonly id: Id<'instance'>
  readonly accountId: string
  readonly region: string
  readonly reservationId: Id<'reservation'>
  readonly launchIndex: number
  readonly clientToken: string | undefined
  readonly imageId: Id<'image'>
  readonly instanceType: string
  readonly architecture: string
  readonly state: InstanceState
  /** When the state that is now was entered. */
  readonly stateSince: Date
  readonly cause: Cause
  /** The stop that is under way cuts the power. */
  readonly isStopForced: boolean
  /** A reboot is owed while the two differ. */
  readonly rebootsWanted: number
  readonly rebootsDone: number
  readonly keyName: string | undefined
  readonly vpcId: Id<'vpc'>
  readonly subnetId: Id<'subnet'>
  readonly availabilityZone: string
  readonly launchedAt: Date
  /** As the image has it; nothing where the image leaves it to the instance type. */
  readonly bootMode: BootMode | undefined
  readonly currentBootMode: 'legacy-bios' | 'uefi'
  readonly tpmSupport: 'v2.0' | undefined
  /** Whether its system has a driver for the Elastic Network Adapter: so its image said, or somebody since. */
  readonly enaSupport: boolean
  readonly rootDeviceName: string
  readonly rootDeviceType: 'ebs' | 'instance-store'
  readonly platform: 'windows' | undefined
  readonly platformDetails: string
  readonly usageOperation: string
  /** Base64, as it came. */
  readonly userData: string | undefined
  readonly isTerminationDisabled: boolean
  readonly isStopDisabled: boolean
  readonly shutdownBehavior: ShutdownBehavior
  readonly metadataOptions: MetadataOptions
  readonly isEbsOptimized: boolean
  readonly isMonitored: boolean
  readonly hasSourceDestCheck: boolean
}

/** The state that a request leads to. Throws where EC2 refuses it. */
export function afterRequest(
  instance: Pick<Instance, 'id' | 'state'>,
  request: Request,
): InstanceState {
  const targets: Partial<Record<InstanceState, InstanceState>> = requests[request]
  const target = targets[instance.state]
  if (target) return target
  if (request === 'stop' && instance.state === 'pending') {
    throw new ApiError(
      'IncorrectInstanceState',
      `Instance '${instance.id}' cannot be stopped as it has never reached the 'running' state.`,
    )
  }
  throw new ApiError(
    'IncorrectInstanceState',
    `The instance '${instance.id}' is not in a state from which it can be ` +
      `${pastParticiple[request]}.`,
  )
}

/** How one says that it has been done. */
export const pastParticiple = {
  start: 'started',
  stop: 'stopped',
  reboot: 'rebooted',
  terminate: 'terminated',
} as const satisfies Record<Request, string>

/** The states in which an instance holds memory of the host, or is about to. */
export const statesWithCapacity = [
  'pending',
  'running',
  'stopping',
] as const satisfies readonly InstanceState[]

export function parseInstanceId(text: string): Id<'instance'> {
  if (isId('instance', text)) return text
  throw new ApiError('InvalidInstanceID.Malformed', `Invalid id: "${text}" (expecting "i-...")`)
}

/** The refusal of ids that name no instance of the caller's. */
export function instanceNotFound(ids: readonly string[]): ApiError {
  const text =
    ids.length === 1
      ? `The instance ID '${ids[0]}' does not exist`
      : `The instance IDs '${ids.join(', ')}' do not exist`
  return new ApiError('InvalidInstanceID.NotFound', text)
}

/** Refuses to change what is going or gone. */
export function checkNotEnding({ id, state }: Pick<Instance, 'id' | 'state'>): void {
  if (state !== 'shutting-down' && state !== 'terminated') return
  throw new ApiError(
    'IncorrectInstanceState',
    `The instance '${id}' is ${state}, and cannot be modified any more.`,
  )
}
