/**
 * What fits on the host. Processors are shared by time, so any number of vCPUs
 * may be promised; memory that is promised has to be there.
 */
import { ApiError } from '../lib/errors.ts'
import type { HostCapacity, Readers } from '../wire/readers.ts'
import { findInstanceType, type InstanceType } from './instance-type.ts'

/** How many more machines of a type the host can hold beside those of the types in use. */
export function countFitting(
  type: InstanceType,
  typesInUse: readonly string[],
  host: HostCapacity,
): number {
  const used = typesInUse.reduce((sum, name) => sum + (findInstanceType(name)?.memoryMiB ?? 0), 0)
  return Math.max(0, Math.floor((host.memoryMiB - used) / type.memoryMiB))
}

/** Refuses a type whose processors the host does not have. */
export function checkHostArchitecture(type: InstanceType, host: HostCapacity): void {
  if (type.family.architectures.some((one) => one === host.architecture)) return
  throw new ApiError(
    'Unsupported',
    `The requested configuration is currently not supported. This host runs ${host.architecture} ` +
      `machines, and instance type '${type.name}' has ${type.family.architectures.join(', ')}.`,
  )
}

export type TpmHost = Pick<Readers, 'tpmProblem'>

/** Refuses an instance with a TPM where the host has nothing to make one of. */
export function checkTpmHost({ tpmProblem }: TpmHost): void {
  const problem = tpmProblem()
  if (problem === undefined) return
  throw new ApiError(
    'Unsupported',
    `The requested configuration is currently not supported. ${problem}`,
  )
}

export function insufficientCapacity(type: InstanceType, availabilityZone: string): ApiError {
  return new ApiError(
    'InsufficientInstanceCapacity',
    `We currently do not have sufficient ${type.name} capacity in the Availability Zone you ` +
      `requested (${availabilityZone}). Our system will be working on provisioning additional ` +
      'capacity.',
  )
}
