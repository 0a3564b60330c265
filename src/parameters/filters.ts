/** The filters of calls that list parameters: each key once, with an option of its own. */
import type { ParameterStringFilter } from '@aws-sdk/client-ssm'
import { ApiError } from '../lib/errors.ts'
import { constraint, type ParameterVersion, validation } from './parameter.ts'
import type { Listed } from './store.ts'

/** Which of the two calls a filter is for. */
type Call = 'describe' | 'by path'

const valuesMax = 50
const keysOf: Readonly<Record<Call, readonly string[]>> = {
  describe: ['Path', 'Name', 'Type', 'KeyId', 'Tier', 'DataType'],
  'by path': ['Type', 'KeyId', 'Label'],
}
const enums: Readonly<Record<string, readonly string[]>> = {
  Type: ['SecureString', 'StringList', 'String'],
  Tier: ['Standard', 'Advanced', 'Intelligent-Tiering'],
}

/** Throws for a filter that the call does not have. */
export function checkFilters(
  filters: readonly ParameterStringFilter[] | undefined,
  call: Call,
): void {
  const seen = new Set<string>()
  for (const [index, { Key = '', Option, Values = [] }] of (filters ?? []).entries()) {
    const path = `parameterFilters.${index + 1}.member`
    if (!/^(?:tag:.+|Name|Type|KeyId|Path|Label|Tier|DataType)$/.test(Key)) {
      throw constraint(
        Key,
        `${path}.key`,
        'satisfy regular expression pattern: tag:.+|Name|Type|KeyId|Path|Label|Tier|DataType',
      )
    }
    if (Values.length > valuesMax)
      throw constraint('[...]', `${path}.values`, `have length less than or equal to ${valuesMax}`)
    const keys = keysOf[call]
    const isTag = call === 'describe' && Key.startsWith('tag:')
    if (!isTag && !keys.includes(Key)) {
      throw new ApiError(
        'InvalidFilterKey',
        `The following filter key is not valid: ${Key}. Valid filter keys include: [${keys.join(', ')}].`,
      )
    }
    if (seen.has(Key)) {
      throw new ApiError(
        'InvalidFilterKey',
        `The following filter is duplicated in the request: ${Key}. A request can contain only ` +
          'one occurrence of a specific filter.',
      )
    }
    seen.add(Key)
    if (Values.length === 0 && !isTag) {
      throw new ApiError(
        'InvalidFilterValue',
        `The following filter values are missing : null for filter key ${Key}.`,
      )
    }
    checkOption(Key, Option)
    checkValues(Key, Values)
  }
}

function checkOption(key: string, option: string | undefined): void {
  const valid =
    key === 'Path'
      ? ['Recursive', 'OneLevel']
      : ['BeginsWith', 'Equals', ...(key === 'Name' ? ['Contains'] : [])]
  if (option === undefined || valid.includes(option)) return
  throw new ApiError(
    'InvalidFilterOption',
    `The following filter option is not valid: ${option}. Valid options include: [${valid.join(', ')}].`,
  )
}

function checkValues(key: string, values: readonly string[]): void {
  const valid = enums[key]
  for (const value of values) {
    if (valid && !valid.includes(value)) {
      throw new ApiError(
        'InvalidFilterOption',
        `The following filter value is not valid: ${value}. Valid values include: [${valid.join(', ')}].`,
      )
    }
    if (key === 'Path') checkPath(value)
  }
}

/** Refuses what is no path. */
export function checkPath(path: string): void {
  if (/^\/(?:[\w.-]+(?:\/[\w.-]+)*\/?)?$/.test(path)) return
  throw validation(
    "The parameter doesn't meet the parameter name requirements. The parameter name must begin " +
      `with a forward slash "/". It can't be prefixed with "aws" or "ssm" (case-insensitive). ` +
      'It must use only letters, numbers, or the following symbols: . (period), - (hyphen), ' +
      '_ (underscore). Special characters are not allowed. All sub-paths, if specified, must use ' +
      'the forward slash symbol "/". Valid example: /get/parameters2-/by1./path0_.',
  )
}

/** Whether a name is below a path: right below it, or anywhere. */
export function isBelow(name: string, path: string, isRecursive: boolean): boolean {
  const folder = path.endsWith('/') ? path : `${path}/`
  const full = name.startsWith('/') ? name : `/${name}`
  if (!full.startsWith(folder)) return false
  return isRecursive || !full.slice(folder.length).includes('/')
}

/** Whether a parameter passes all filters. They have to be checked before. */
export function matchesFilters(
  { latest, tags }: Pick<Listed, 'latest' | 'tags'>,
  filters: readonly ParameterStringFilter[] | undefined,
): boolean {
  return (filters ?? []).every(({ Key = '', Option, Values = [] }) => {
    if (Key === 'Path')
      return Values.some((path) => isBelow(latest.name, path, Option === 'Recursive'))
    if (Key.startsWith('tag:')) {
      const tag = tags.find(({ key }) => key === Key.slice('tag:'.length))
      if (!tag) return false
      return Values.length === 0 || Values.some((value) => isLike(tag.value, value, Option))
    }
    const text = look(latest, Key)
    return text !== undefined && Values.some((value) => isLike(text, value, Option))
  })
}

function look(parameter: ParameterVersion, key: string): string | undefined {
  const looks: Readonly<Record<string, string | undefined>> = {
    Name: parameter.name,
    KeyId: parameter.keyId,
    Type: parameter.type,
    Tier: parameter.tier,
    DataType: parameter.dataType,
  }
  return looks[key]
}

function isLike(text: string, value: string, option: string | undefined): boolean {
  if (option === 'BeginsWith') return text.startsWith(value)
  if (option === 'Contains') return text.includes(value)
  return text === value
}
