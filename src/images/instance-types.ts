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

const patternForm = /^[a-z0-9*.-]{1,30}$/

/** Reads what a call wants, which is nothing where it names no type at all. */
export function readInstanceTypes(
  input: InstanceTypeSpecificationRequest | undefined,
): InstanceTypes | undefined {
  const supported = input?.SupportedInstanceTypes ?? []
  const unsupported = input?.UnsupportedInstanceTypes ?? []
  for (const type of [...supported, ...unsupported]) {
    if (patternForm.test(type)) continue
    throw invalidParameterValue(
      'instanceType',
      type,
      'It is no instance type and no pattern of any.',
    )
  }
  if (supported.length + unsupported.length === 0) return undefined
  return { supported: [...new Set(supported)], unsupported: [...new Set(unsupported)] }
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
