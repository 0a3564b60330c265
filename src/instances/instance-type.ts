/**
 * The instance types: EC2's names with EC2's numbers of vCPUs and amounts of
 * memory, which is what a machine of that type gets. Written down a family at a
 * time, since the sizes of a family differ in these numbers only.
 */
import { ApiError } from '../lib/errors.ts'

export type Architecture = 'i386' | 'x86_64' | 'arm64'

export interface InstanceType {
  readonly name: string
  readonly vcpus: number
  readonly threadsPerCore: 1 | 2
  readonly memoryMiB: number
  readonly family: Family
}

export interface Family {
  readonly architectures: readonly Architecture[]
  readonly hypervisor: 'nitro' | 'xen'
  readonly bootModes: readonly ('legacy-bios' | 'uefi')[]
  readonly isCurrent: boolean
  readonly isBurstable: boolean
  readonly manufacturer: 'AMD' | 'AWS' | 'Intel'
  readonly clockGHz: number
  readonly networkPerformance: string
  readonly threadsPerCore: 1 | 2
  /** Each size with its vCPUs and its memory in MiB. */
  readonly sizes: Readonly<Record<string, readonly [vcpus: number, memoryMiB: number]>>
}

/** What EC2 launches where a call names no type. */
export const defaultInstanceType = 'm1.small'

const intel = {
  architectures: ['x86_64'],
  hypervisor: 'nitro',
  bootModes: ['legacy-bios', 'uefi'],
  isCurrent: true,
  isBurstable: false,
  manufacturer: 'Intel',
  networkPerformance: 'Up to 10 Gigabit',
  threadsPerCore: 2,
} as const
const graviton = {
  ...intel,
  architectures: ['arm64'],
  bootModes: ['uefi'],
  manufacturer: 'AWS',
  threadsPerCore: 1,
} as const
const up12 = { networkPerformance: 'Up to 12.5 Gigabit' } as const
const burstable = { isBurstable: true, networkPerformance: 'Up to 5 Gigabit' } as const

/** Four sizes whose memory doubles with the vCPUs. */
const doubling = (gibPerVcpu: number): Family['sizes'] => ({
  large: [2, 2 * gibPerVcpu * 1024],
  xlarge: [4, 4 * gibPerVcpu * 1024],
  '2xlarge': [8, 8 * gibPerVcpu * 1024],
  '4xlarge': [16, 16 * gibPerVcpu * 1024],
})

const t2Sizes: Family['sizes'] = {
  nano: [1, 512],
  micro: [1, 1024],
  small: [1, 2048],
  medium: [2, 4096],
  large: [2, 8192],
  xlarge: [4, 16_384],
  '2xlarge': [8, 32_768],
}
const t3Sizes: Family['sizes'] = { ...t2Sizes, nano: [2, 512], micro: [2, 1024], small: [2, 2048] }

const families: Readonly<Record<string, Family>> = {
  c5: { ...intel, clockGHz: 3.4, sizes: doubling(2) },
  c6i: { ...intel, ...up12, clockGHz: 3.5, sizes: doubling(2) },
  c7g: { ...graviton, ...up12, clockGHz: 2.6, sizes: { medium: [1, 2048], ...doubling(2) } },
  m1: {
    ...intel,
    architectures: ['i386', 'x86_64'],
    hypervisor: 'xen',
    bootModes: ['legacy-bios'],
    isCurrent: false,
    clockGHz: 1.7,
    networkPerformance: 'Low',
    threadsPerCore: 1,
    sizes: { small: [1, 1740] },
  },
  m5: { ...intel, clockGHz: 3.1, sizes: doubling(4) },
  m6g: { ...graviton, clockGHz: 2.5, sizes: { medium: [1, 4096], ...doubling(4) } },
  m6i: { ...intel, ...up12, clockGHz: 3.5, sizes: doubling(4) },
  m7i: { ...intel, ...up12, clockGHz: 3.2, sizes: doubling(4) },
  r5: { ...intel, clockGHz: 3.1, sizes: doubling(8) },
  r6i: { ...intel, ...up12, clockGHz: 3.5, sizes: doubling(8) },
  t2: {
    ...intel,
    ...burstable,
    hypervisor: 'xen',
    bootModes: ['legacy-bios'],
    clockGHz: 2.5,
    networkPerformance: 'Low to Moderate',
    threadsPerCore: 1,
    sizes: t2Sizes,
  },
  t3: { ...intel, ...burstable, clockGHz: 2.5, sizes: t3Sizes },
  t3a: { ...intel, ...burstable, manufacturer: 'AMD', clockGHz: 2.2, sizes: t3Sizes },
  t4g: { ...graviton, ...burstable, clockGHz: 2.5, sizes: t3Sizes },
}

const types: ReadonlyMap<string, InstanceType> = new Map(
  Object.entries(families).flatMap(([name, family]) =>
    Object.entries(family.sizes).map(([size, [vcpus, memoryMiB]]) => {
      // A type with one vCPU has one thread of one core.
      const threadsPerCore = vcpus === 1 ? 1 : family.threadsPerCore
      const type = { name: `${name}.${size}`, vcpus, threadsPerCore, memoryMiB, family }
      return [type.name, type] as const
    }),
  ),
)

/** All types, by name. */
export function listInstanceTypes(): readonly InstanceType[] {
  return [...types.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

export function findInstanceType(name: string): InstanceType | undefined {
  return types.get(name)
}

/** The type of that name. Throws for one that there is not. */
export function instanceTypeNamed(name: string): InstanceType {
  const type = types.get(name)
  if (type) return type
  throw new ApiError(
    'InvalidParameterValue',
    `Invalid value '${name}' for InstanceType. DescribeInstanceTypes lists the ones there are.`,
  )
}

/** Refuses an image made for other processors. */
export function checkArchitecture(type: InstanceType, architecture: string): void {
  if (type.family.architectures.some((one) => one === architecture)) return
  throw new ApiError(
    'InvalidParameterValue',
    `The architecture '${type.family.architectures.join(',')}' of the specified instance type does ` +
      `not match the architecture '${architecture}' of the specified AMI. Specify an instance type ` +
      'and an AMI that have matching architectures, and try again. You can use ' +
      "'describe-instance-types' or 'describe-images' to discover the architecture of the instance " +
      'type or AMI.',
  )
}

export const needsEna = ({ family }: InstanceType): boolean => family.hypervisor === 'nitro'

/** Refuses a system that does not say that it has the driver of the only network card that a type has. */
export function checkEna(type: InstanceType, has: boolean, whose: string): void {
  if (has || !needsEna(type)) return
  throw new ApiError(
    'InvalidParameterCombination',
    'Enhanced networking with the Elastic Network Adapter (ENA) is required for the ' +
      `'${type.name}' instance type. Ensure ${whose} is enabled for ENA.`,
  )
}

/** How an instance boots, by what its image asks for and its type can do. */
export function bootModeOf(
  type: InstanceType,
  wanted: 'legacy-bios' | 'uefi' | 'uefi-preferred' | undefined,
): 'legacy-bios' | 'uefi' {
  const { bootModes } = type.family
  const [fallback = 'legacy-bios'] = bootModes
  if (wanted === undefined) return fallback
  if (wanted === 'uefi-preferred') return bootModes.includes('uefi') ? 'uefi' : fallback
  if (bootModes.includes(wanted)) return wanted
  throw new ApiError(
    'InvalidParameterCombination',
    `The boot mode '${wanted}' of the specified AMI is not supported by the instance type ` +
      `'${type.name}'. Specify an instance type that supports this boot mode, and try again.`,
  )
}
