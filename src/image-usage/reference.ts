/** What can refer to an image, and how far one looks for it. */
import type { ResourceTypeOption } from '@aws-sdk/client-ec2'
import { type InstanceState, stateCodes } from '../instances/instance.ts'
import { ApiError, invalidParameterValue } from '../lib/errors.ts'

export const referringTypes = [
  'ec2:Instance',
  'ec2:LaunchTemplate',
  'ssm:Parameter',
  'imagebuilder:ImageRecipe',
  'imagebuilder:ContainerRecipe',
] as const

export type ReferringType = (typeof referringTypes)[number]

/** A type of resource to look through. Each has its own way to be narrowed. */
export interface Scope {
  readonly type: ReferringType
  /** Of instances: those in these states. All, where nothing is said. */
  readonly states?: readonly InstanceState[]
  /** Of launch templates: so many of the newest versions. */
  readonly versionDepth?: number
}

interface Input {
  readonly ResourceType?: string | undefined
  readonly ResourceTypeOptions?:
    | readonly {
        readonly OptionName?: ResourceTypeOption['OptionName'] | (string & {}) | undefined
        readonly OptionValues?: readonly string[] | undefined
      }[]
    | undefined
}

interface Allowed {
  readonly types: readonly ReferringType[]
  /** Whether instances can be narrowed by their states. */
  readonly takesStates: boolean
}

/** Reads `ResourceType.N`, each type once. */
export function readScopes(inputs: readonly Input[], allowed: Allowed): readonly Scope[] {
  const scopes = inputs.map((input) => readScope(input, allowed))
  const types = new Set(scopes.map(({ type }) => type))
  if (types.size === scopes.length) return scopes
  throw new ApiError('InvalidParameterValue', 'A resource type can be specified only once.')
}

const versionDepthMax = 10_000

function readScope(input: Input, { types, takesStates }: Allowed): Scope {
  const { ResourceType = '', ResourceTypeOptions = [] } = input
  const type = types.find((one) => one === ResourceType)
  if (!type) {
    const rule = `It must be one of: ${types.join(', ')}.`
    throw invalidParameterValue('resourceType', ResourceType, rule)
  }
  let scope: Scope = { type }
  for (const { OptionName = '', OptionValues = [] } of ResourceTypeOptions) {
    if (takesStates && type === 'ec2:Instance' && OptionName === 'state-name') {
      scope = { ...scope, states: OptionValues.map(parseState) }
    } else if (type === 'ec2:LaunchTemplate' && OptionName === 'version-depth') {
      scope = { ...scope, versionDepth: parseDepth(OptionValues) }
    } else {
      throw invalidParameterValue('optionName', OptionName, `${type} has no such option.`)
    }
  }
  return scope
}

function parseState(text: string): InstanceState {
  const found = Object.keys(stateCodes).find((state) => state === text)
  if (found !== undefined) return found as InstanceState
  throw invalidParameterValue('optionValue', text, 'It must be the state of an instance.')
}

function parseDepth(values: readonly string[]): number {
  const [text = '', ...others] = values
  const depth = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (others.length === 0 && depth >= 1 && depth <= versionDepthMax) return depth
  const rule = `It must be a number from 1 to ${versionDepthMax}.`
  throw invalidParameterValue('optionValue', values.join(', '), rule)
}
