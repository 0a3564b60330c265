/** For which instance types an image is meant: its owner names some, leaves some out, or says nothing. */
import type {
  InstanceTypeSpecification,
  InstanceTypeSpecificationRequest,
} from '@aws-sdk/client-ec2'
import { ApiError, invalidParameterValue } from '../lib/errors.ts'
import { isLike } from '../lib/like.ts'

/** Types, or patterns of them such as `c5*`. */
export interface InstanceTypes {
  readonly supported: readonly string[]
  readonly unsupported: readonly string[]
}

const listMax = 100
const patternForm = /^[A-Za-z0-9_.*-]{1,24}$/

/** Reads what a call wants, which is nothing where it names no type at all. Nothing is said twice. */
export function readInstanceTypes(
  input: InstanceTypeSpecificationRequest | undefined,
): InstanceTypes | undefined {
  const supported = input?.SupportedInstanceTypes ?? []
  const unsupported = input?.UnsupportedInstanceTypes ?? []
  if (Math.max(supported.length, unsupported.length) > listMax) {
    const message = `An instance type specification can have ${listMax} types of each kind.`
    throw new ApiError('InvalidParameterValue', message)
  }
  const seen = new Set<string>()
  for (const type of [...supported, ...unsupported]) {
    if (seen.has(type)) throw invalidParameterValue('instanceType', type, 'It is named twice.')
    seen.add(type)
    if (patternForm.test(type) && !type.includes('**')) continue
    throw invalidParameterValue(
      'instanceType',
      type,
      'It is no instance type and no pattern of any.',
    )
  }
  if (seen.size === 0) return undefined
  return { supported, unsupported }
}

/** Tells whether an instance of a type may be launched. */
export function supportsType(types: InstanceTypes | undefined, name: string): boolean {
  if (!types) return true
  const { supported, unsupported } = types
  const isIn = (patterns: readonly string[]) => patterns.some((pattern) => isLike(pattern, name))
  return (supported.length === 0 || isIn(supported)) && !isIn(unsupported)
}

export function typeNotSupported(imageId: string, name: string): ApiError {
  return new ApiError(
    'InvalidParameterCombination',
    `The instance type '${name}' is not supported by the AMI '${imageId}'.`,
  )
}

export function viewInstanceTypes({
  supported,
  unsupported,
}: InstanceTypes): InstanceTypeSpecification {
  const items = (names: readonly string[]) => names.map((InstanceType) => ({ InstanceType }))
  return {
    ...(supported.length > 0 && { SupportedInstanceTypes: items(supported) }),
    ...(unsupported.length > 0 && { UnsupportedInstanceTypes: items(unsupported) }),
  }
}
