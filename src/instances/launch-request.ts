/**
 * What `RunInstances` asks for, checked as far as it can be without looking at
 * anything else. What would be a lie here is refused by name; what makes no
 * difference here, and tools send, is taken without a word.
 */
import type { RunInstancesRequest } from '@aws-sdk/client-ec2'
import { ApiError, invalidParameterValue, missingParameter } from '../lib/errors.ts'
import type { ShutdownBehavior } from './instance.ts'
import { type InstanceType, instanceTypeNamed } from './instance-type.ts'
import { defaultInstanceType } from './instance-type.ts'

/** The first network interface, wherever in the call it was described. */
export interface InterfaceWishes {
  readonly subnetId: string | undefined
  readonly groupIds: readonly string[] | undefined
  readonly groupNames: readonly string[] | undefined
  readonly privateIp: string | undefined
  /** Left to the subnet where nothing is said. */
  readonly wantsPublicIp: boolean | undefined
  readonly description: string | undefined
  readonly deleteOnTermination: boolean
}

/** Refuses what cannot be kept. */
export function checkSupported(request: RunInstancesRequest): void {
  const { Placement, InstanceMarketOptions, CapacityReservationSpecification } = request
  const refused: Readonly<Record<string, boolean>> = {
    LaunchTemplate: isGiven(request.LaunchTemplate),
    'HibernationOptions.Configured': request.HibernationOptions?.Configured === true,
    'EnclaveOptions.Enabled': request.EnclaveOptions?.Enabled === true,
    InstanceMarketOptions: isGiven(InstanceMarketOptions),
    KernelId: isGiven(request.KernelId),
    RamdiskId: isGiven(request.RamdiskId),
    Ipv6AddressCount: (request.Ipv6AddressCount ?? 0) > 0,
    Ipv6Addresses: isGiven(request.Ipv6Addresses),
    EnablePrimaryIpv6: request.EnablePrimaryIpv6 === true,
    ElasticGpuSpecification: isGiven(request.ElasticGpuSpecification),
    ElasticInferenceAccelerators: isGiven(request.ElasticInferenceAccelerators),
    LicenseSpecifications: isGiven(request.LicenseSpecifications),
    SecondaryInterfaces: isGiven(request.SecondaryInterfaces),
    Operator: isGiven(request.Operator),
    'CapacityReservationSpecification.CapacityReservationTarget': isGiven(
      CapacityReservationSpecification?.CapacityReservationTarget,
    ),
    'Placement.Tenancy': (Placement?.Tenancy ?? 'default') !== 'default',
    'Placement.GroupName': isGiven(Placement?.GroupName),
    'Placement.GroupId': isGiven(Placement?.GroupId),
    'Placement.HostId': isGiven(Placement?.HostId),
    'Placement.HostResourceGroupArn': isGiven(Placement?.HostResourceGroupArn),
    'Placement.PartitionNumber': isGiven(Placement?.PartitionNumber),
  }
  for (const [name, isRefused] of Object.entries(refused)) {
    if (isRefused) throw unsupportedParameter(name)
  }
}

function isGiven(value: unknown): boolean {
  if (value === undefined || value === '') return false
  if (typeof value !== 'object' || value === null) return true
  return Object.values(value).some(isGiven)
}

export function unsupportedParameter(name: string): ApiError {
  return new ApiError('UnsupportedOperation', `The parameter ${name} is not supported.`)
}

/** How many instances: as many as fit, but no fewer than `min`. */
export function readCounts(request: RunInstancesRequest): { min: number; max: number } {
  const { MinCount: min, MaxCount: max } = request
  if (min === undefined) throw missingParameter('MinCount')
  if (max === undefined) throw missingParameter('MaxCount')
  if (min < 1) throw invalidParameterValue('minCount', String(min), 'It must be at least 1.')
  if (max < min) {
    throw invalidParameterValue('maxCount', String(max), 'It must not be less than minCount.')
  }
  return { min, max }
}

/** The type that is asked for, with the vCPUs that it has: others cannot be given. */
export function readInstanceType(request: RunInstancesRequest): InstanceType {
  const type = instanceTypeNamed(request.InstanceType ?? defaultInstanceType)
  const { CoreCount, ThreadsPerCore } = request.CpuOptions ?? {}
  const cores = type.vcpus / type.threadsPerCore
  if ((CoreCount ?? cores) !== cores) throw unsupportedParameter('CpuOptions.CoreCount')
  if ((ThreadsPerCore ?? type.threadsPerCore) !== type.threadsPerCore) {
    throw unsupportedParameter('CpuOptions.ThreadsPerCore')
  }
  return type
}

export function readShutdownBehavior(value: string | undefined): ShutdownBehavior | undefined {
  if (value === undefined) return undefined
  if (value === 'stop' || value === 'terminate') return value
  throw new ApiError(
    'InvalidParameterValue',
    `Value (${value}) for parameter instanceInitiatedShutdownBehavior is invalid. ` +
      'It must be one of: stop, terminate.',
  )
}

/** The network interface that is asked for: described at the top of the call, or in its list. */
export function readInterface(request: RunInstancesRequest, type: InstanceType): InterfaceWishes {
  const { NetworkInterfaces: list = [], SubnetId, PrivateIpAddress } = request
  const groupIds = nonEmpty(request.SecurityGroupIds)
  const groupNames = nonEmpty(request.SecurityGroups)
  const [first, ...others] = list
  if (!first) {
    return {
      subnetId: SubnetId,
      groupIds,
      groupNames,
      privateIp: PrivateIpAddress,
      wantsPublicIp: undefined,
      description: undefined,
      deleteOnTermination: true,
    }
  }
  if (SubnetId !== undefined) throw notWithInterfaces('subnet ID')
  if (groupIds || groupNames) throw notWithInterfaces('security groups')
  if (PrivateIpAddress !== undefined) throw notWithInterfaces('private address')
  if (others.length > 0) {
    throw new ApiError(
      'AttachmentLimitExceeded',
      `Interface count ${list.length} exceeds the limit for ${type.name}`,
    )
  }
  if (first.DeviceIndex === undefined) {
    throw new ApiError('InvalidParameterValue', 'Each network interface requires a device index.')
  }
  if (first.DeviceIndex !== 0) {
    throw new ApiError(
      'InvalidParameterCombination',
      'A network interface with a device index of 0 is required.',
    )
  }
  const refused: Readonly<Record<string, boolean>> = {
    NetworkInterfaceId: isGiven(first.NetworkInterfaceId),
    SecondaryPrivateIpAddressCount: (first.SecondaryPrivateIpAddressCount ?? 0) > 0,
    PrivateIpAddresses: (first.PrivateIpAddresses ?? []).some(({ Primary }) => !Primary),
    Ipv6AddressCount: (first.Ipv6AddressCount ?? 0) > 0,
    Ipv6Addresses: isGiven(first.Ipv6Addresses),
    Ipv4Prefixes: isGiven(first.Ipv4Prefixes),
    Ipv6Prefixes: isGiven(first.Ipv6Prefixes),
    InterfaceType: (first.InterfaceType ?? 'interface') !== 'interface',
    NetworkCardIndex: (first.NetworkCardIndex ?? 0) !== 0,
  }
  for (const [name, isRefused] of Object.entries(refused)) {
    if (isRefused) throw unsupportedParameter(`NetworkInterface.${name}`)
  }
  return {
    subnetId: first.SubnetId,
    groupIds: nonEmpty(first.Groups),
    groupNames: undefined,
    privateIp: first.PrivateIpAddress ?? first.PrivateIpAddresses?.[0]?.PrivateIpAddress,
    wantsPublicIp: first.AssociatePublicIpAddress,
    description: first.Description,
    deleteOnTermination: first.DeleteOnTermination ?? true,
  }
}

function nonEmpty(list: readonly string[] | undefined): readonly string[] | undefined {
  return list && list.length > 0 ? list : undefined
}

function notWithInterfaces(what: string): ApiError {
  const article = what === 'private address' ? 'a private address' : `an instance-level ${what}`
  return new ApiError(
    'InvalidParameterCombination',
    `Network interfaces and ${article} may not be specified on the same request`,
  )
}
