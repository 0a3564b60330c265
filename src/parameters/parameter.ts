/**
 * A parameter: a named value that is never changed. A change makes a new
 * version; the newest one is what the name stands for, and a label is on one
 * version at most.
 */
import { ApiError, type ErrorCode } from '../lib/errors.ts'
import { isId } from '../lib/ids.ts'

export type ParameterType = 'String' | 'StringList' | 'SecureString'
export type DataType = 'text' | 'aws:ec2:image'
export type Tier = 'Standard' | 'Advanced'

/** Where a parameter is. A public one has no account. */
export interface ParameterKey {
  readonly accountId: string
  readonly region: string
  readonly name: string
}

export interface ParameterVersion extends ParameterKey {
  readonly version: number
  readonly type: ParameterType
  readonly dataType: DataType
  readonly tier: Tier
  /** Of a SecureString what its key has made of it, in base64. */
  readonly value: string
  /** The key of a SecureString, as the caller has named it. */
  readonly keyId?: string
  readonly description: string | undefined
  readonly allowedPattern: string | undefined
  readonly labels: readonly string[]
  readonly modifiedAt: Date
  readonly modifiedBy: string
}

export const versionsMax = 100
export const labelsMax = 10
export const parametersMax = 10_000

const nameLengthMax = 1011
const levelsMax = 15
const labelLengthMax = 100
const valueBytesMax: Readonly<Record<Tier, number>> = { Standard: 4096, Advanced: 8192 }

const types = ['SecureString', 'StringList', 'String']
const tiers = ['Standard', 'Advanced', 'Intelligent-Tiering']

/** `arn:aws:ssm:us-east-1:123456789012:parameter/a/b`, for `/a/b` and for `a` alike. */
export function parameterArn({ accountId, region, name }: ParameterKey): string {
  return `arn:aws:ssm:${region}:${accountId}:parameter/${name.replace(/^\//, '')}`
}

export const validation = (message: string): ApiError =>
  new ApiError('ValidationException', message)

/** What AWS says of a member that is not as its model has it. */
export const constraint = (value: string, path: string, rule: string): ApiError =>
  validation(
    `1 validation error detected: Value '${value.slice(0, 100)}' at '${path}' failed to satisfy ` +
      `constraint: Member must ${rule}`,
  )

const namingRule =
  `Parameter name: can't be prefixed with "ssm" (case-insensitive). If formed as a path, it can ` +
  'consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of ' +
  'letters, numbers and the following 3 symbols .-_'

/** Refuses a name that no parameter of a user may have. */
export function checkName(name: string): string {
  if (name === '') throw constraint('', 'name', 'have length greater than or equal to 1')
  if (name.length > nameLengthMax)
    throw validation(`Parameter name must be at most ${nameLengthMax} characters.`)
  const isPath = name.lastIndexOf('/') > 0
  if (/^\/?(?:aws|ssm)/i.test(name)) {
    if (/^\/aws/i.test(name) && isPath) {
      throw new ApiError('AccessDeniedException', `No access to reserved parameter name: ${name}.`)
    }
    throw validation(
      isPath
        ? namingRule
        : `Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive).`,
    )
  }
  if (isPath && !name.startsWith('/'))
    throw validation('Parameter name must be a fully qualified name.')
  if (!/^\/?[\w.-]+(?:\/[\w.-]+)*$/.test(name)) throw validation(namingRule)
  if (name.split('/').length - 1 > levelsMax) {
    throw new ApiError(
      'HierarchyLevelLimitExceededException',
      `Hierarchy depth cannot exceed ${levelsMax} levels.`,
    )
  }
  return name
}

/** The type that a call gives, or nothing where it gives none. */
export function readType(text: string | undefined): ParameterType | undefined {
  if (text === undefined || text === 'String' || text === 'StringList') return text
  if (text === 'SecureString') return text
  throw constraint(text, 'type', `satisfy enum value set: [${types.join(', ')}]`)
}

export function readDataType(text: string | undefined): DataType | undefined {
  if (text === undefined || text === 'text' || text === 'aws:ec2:image') return text
  throw validation(
    `The following data type is not supported: ${text} (Data type names are all lowercase.)`,
  )
}

/** What a value of the data type `aws:ec2:image` has to look like. */
export const isImageId = (value: string): boolean => isId('image', value)

/** The tier that a value goes into, given what the call asks for and what was before. */
export function chooseTier(
  wanted: string | undefined,
  value: string,
  before: Tier | undefined,
): Tier {
  if (wanted !== undefined && !tiers.includes(wanted))
    throw constraint(wanted, 'tier', `satisfy enum value set: [${tiers.join(', ')}]`)
  if (wanted === 'Standard' && before === 'Advanced') {
    throw validation(
      "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the " +
        'advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the ' +
        'advanced parameter and recreate it as a standard parameter.',
    )
  }
  const bytes = Buffer.byteLength(value)
  const needsMore = bytes > valueBytesMax.Standard
  const isAdvanced =
    wanted === 'Advanced' ||
    before === 'Advanced' ||
    (wanted === 'Intelligent-Tiering' && needsMore)
  const tier = isAdvanced ? 'Advanced' : 'Standard'
  if (bytes <= valueBytesMax[tier]) return tier
  throw validation(
    `${tier} tier parameters support a maximum parameter value of ${valueBytesMax[tier]} characters.` +
      (isAdvanced
        ? ''
        : ' To create a larger parameter value, upgrade the parameter to use the ' +
          'advanced-parameter tier.'),
  )
}

/** Whether a label may be put on a version. One that is too long is refused at once. */
export function isLabel(label: string): boolean {
  if (label.length > labelLengthMax || label === '') {
    throw constraint(
      label,
      'labels',
      `satisfy constraint: [Member must have length less than or equal to ${labelLengthMax}, ` +
        'Member must have length greater than or equal to 1]',
    )
  }
  return /^[A-Za-z_.-][\w.-]*$/.test(label) && !/^(?:aws|ssm)/i.test(label)
}

/** Refuses a list of a length that AWS does not take. */
export function checkCount(items: readonly unknown[], path: string, max: number): void {
  if (items.length === 0) throw constraint('[]', path, 'have length greater than or equal to 1')
  if (items.length > max) {
    const shown = `[${items.join(', ')}]`
    throw constraint(shown, path, `have length less than or equal to ${max}`)
  }
}

/** How many results a page has. */
export function readCount(count: number | undefined, max: number): number {
  if (count === undefined) return max
  if (count < 1)
    throw constraint(String(count), 'maxResults', 'have value greater than or equal to 1')
  if (count > max)
    throw constraint(String(count), 'maxResults', `have value less than or equal to ${max}`)
  return count
}

const notFound = (code: ErrorCode, message: string): ApiError => new ApiError(code, message)

export const parameterNotFound = (name: string): ApiError =>
  notFound('ParameterNotFound', `Parameter ${name} not found.`)

export const versionNotFound = (name: string, version: string | number): ApiError =>
  notFound(
    'ParameterVersionNotFound',
    `Systems Manager could not find version ${version} of ${name}. Verify the version and try again.`,
  )
