/**
 * The types of volumes and what each can be. The figures are promises that one
 * host's disks do not tell apart: they are kept, shown and checked.
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html
 */
import { ApiError, invalidParameterValue } from '../lib/errors.ts'

export type VolumeType = 'gp2' | 'gp3' | 'io1' | 'io2' | 'st1' | 'sc1' | 'standard'

interface Limits {
  readonly sizeGiB: readonly [min: number, max: number]
  /** Where the caller may say how many. */
  readonly iops?: {
    readonly range: readonly [min: number, max: number]
    readonly perGiBMax: number
    readonly default?: number
  }
  readonly throughput?: {
    readonly range: readonly [min: number, max: number]
    readonly perIopsMax: number
    readonly default: number
  }
  readonly isBootable: boolean
}

export const volumeTypes = {
  gp2: { sizeGiB: [1, 16_384], isBootable: true },
  gp3: {
    sizeGiB: [1, 65_536],
    iops: { range: [3000, 80_000], perGiBMax: 500, default: 3000 },
    throughput: { range: [125, 2000], perIopsMax: 0.25, default: 125 },
    isBootable: true,
  },
  io1: { sizeGiB: [4, 16_384], iops: { range: [100, 64_000], perGiBMax: 50 }, isBootable: true },
  io2: { sizeGiB: [4, 65_536], iops: { range: [100, 256_000], perGiBMax: 1000 }, isBootable: true },
  st1: { sizeGiB: [125, 16_384], isBootable: false },
  sc1: { sizeGiB: [125, 16_384], isBootable: false },
  standard: { sizeGiB: [1, 1024], isBootable: true },
} as const satisfies Record<VolumeType, Limits>

/** What EC2 makes where no type is named. */
export const defaultVolumeType = 'gp2'

export interface VolumeShape {
  readonly type: VolumeType
  readonly sizeGiB: number
  readonly iops: number | undefined
  readonly throughput: number | undefined
}

export function isVolumeType(text: string): text is VolumeType {
  return Object.hasOwn(volumeTypes, text)
}

/** Refuses a root volume of a type that no machine can boot from. */
export function checkBootType(type: string): void {
  if (!isVolumeType(type) || volumeTypes[type].isBootable) return
  throw new ApiError(
    'BootForVolumeTypeUnsupported',
    `The volume type ${type} cannot be used as a boot volume.`,
  )
}

/** Refuses a volume that its type does not allow, and fills in what the caller left open. */
export function checkVolumeShape(wanted: {
  readonly type: string
  readonly sizeGiB: number
  readonly iops?: number | undefined
  readonly throughput?: number | undefined
}): VolumeShape {
  const { type, sizeGiB } = wanted
  if (!isVolumeType(type)) {
    throw new ApiError(
      'InvalidParameterValue',
      `Value (${type}) for parameter volumeType is invalid. Invalid volume type`,
    )
  }
  const limits: Limits = volumeTypes[type]
  const [min, max] = limits.sizeGiB
  if (!(sizeGiB >= min))
    throw invalid(`Volume of ${sizeGiB}GiB is too small; minimum is ${min}GiB.`)
  if (sizeGiB > max) throw invalid(`Volume of ${sizeGiB}GiB is too large; maximum is ${max}GiB.`)
  const iops = iopsOf(type, limits, sizeGiB, wanted.iops)
  const throughput = throughputOf(type, limits, iops, wanted.throughput)
  return { type, sizeGiB, iops, throughput }
}

/**
 * How fast the snapshot's blocks are to be fetched, in MiB/s. Ours are all there
 * when the volume is `available`, which no rate can be faster than.
 */
const initializationRates = [100, 300] as const

export function checkInitializationRate(rate: number | undefined, isOfSnapshot: boolean): void {
  if (rate === undefined) return
  const [min, max] = initializationRates
  if (rate < min || rate > max) {
    throw invalidParameterValue(
      'VolumeInitializationRate',
      String(rate),
      `It must be from ${min} to ${max} MiB/s.`,
    )
  }
  if (isOfSnapshot) return
  throw new ApiError(
    'InvalidParameterCombination',
    'The parameter VolumeInitializationRate is only supported for volumes created from snapshots.',
  )
}

function iopsOf(
  type: VolumeType,
  { iops: limits }: Limits,
  sizeGiB: number,
  wanted: number | undefined,
): number | undefined {
  if (!limits) {
    if (wanted !== undefined) throw notSupported('iops', type)
    // A gp2 volume's are by its size, and shown.
    return type === 'gp2' ? Math.min(16_000, Math.max(100, 3 * sizeGiB)) : undefined
  }
  const iops = wanted ?? limits.default
  if (iops === undefined) {
    throw new ApiError('MissingParameter', 'The request must contain the parameter iops')
  }
  const [min, max] = limits.range
  if (iops < min) throw invalid(`Volume iops of ${iops} is too low; minimum is ${min}.`)
  if (iops > max) throw invalid(`Volume iops of ${iops} is too high; maximum is ${max}.`)
  const ratio = iops / sizeGiB
  if (wanted !== undefined && iops > min && ratio > limits.perGiBMax) {
    throw invalid(
      `Iops to volume size ratio of ${ratio.toFixed(6)} is too high; maximum is ${limits.perGiBMax}`,
    )
  }
  return iops
}

function throughputOf(
  type: VolumeType,
  { throughput: limits }: Limits,
  iops: number | undefined,
  wanted: number | undefined,
): number | undefined {
  if (!limits) {
    if (wanted !== undefined) throw notSupported('throughput', type)
    return undefined
  }
  const throughput = wanted ?? limits.default
  const [min, max] = limits.range
  if (throughput < min) {
    throw invalid(`Throughput of ${throughput}MiBps is too low; minimum is ${min}MiBps.`)
  }
  if (throughput > max) {
    throw invalid(`Throughput of ${throughput}MiBps is too high; maximum is ${max}MiBps.`)
  }
  const ratio = throughput / (iops ?? Infinity)
  if (ratio > limits.perIopsMax) {
    throw invalid(
      `Throughput (MiBps) to iops ratio of ${ratio.toFixed(6)} is too high; maximum is ${limits.perIopsMax.toFixed(6)} MiBps per iops.`,
    )
  }
  return throughput
}

const invalid = (text: string) => new ApiError('InvalidParameterValue', text)

function notSupported(parameter: string, type: VolumeType): ApiError {
  return new ApiError(
    'InvalidParameterCombination',
    `The parameter ${parameter} is not supported for ${type} volumes.`,
  )
}
