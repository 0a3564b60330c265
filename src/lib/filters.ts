/**
 * Filters as EC2's describe calls take them: values within a filter are
 * alternatives, filters all have to hold, and `*` and `?` are wildcards.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
 */
import { ApiError } from './errors.ts'
import { isLike } from './like.ts'

export interface Filter {
  readonly Name?: string | undefined
  readonly Values?: readonly string[] | undefined
}

type Value = string | number | boolean | Date | undefined

/** What each filter looks at: one value, or several of which one has to match. */
export type FilterTable<Item> = Readonly<Record<string, (item: Item) => Value | readonly Value[]>>

interface Tagged {
  readonly key: string
  readonly value: string
}

const filtersMax = 50
const valuesMax = 200

/** Throws `InvalidParameterValue` for a filter that `table` does not have; what has no tags has no filter by them. */
export function checkFilters<Item>(
  filters: readonly Filter[] | undefined,
  table: FilterTable<Item>,
  { takesTags = true } = {},
): void {
  if (filters && filters.length > filtersMax) {
    throw new ApiError('FilterLimitExceeded', `A call can have at most ${filtersMax} filters.`)
  }
  for (const { Name, Values } of filters ?? []) {
    if (!Name) throw new ApiError('MissingParameter', 'The request must contain the parameter Name')
    if (!Values || Values.length === 0) {
      throw new ApiError('InvalidParameterValue', `The filter '${Name}' has no values`)
    }
    if (Values.length > valuesMax) {
      throw new ApiError(
        'FilterLimitExceeded',
        `The filter '${Name}' has over ${valuesMax} values.`,
      )
    }
    const isOfTags = Name === 'tag-key' || Name.startsWith('tag:')
    if (Object.hasOwn(table, Name) || (takesTags && isOfTags)) continue
    throw new ApiError('InvalidParameterValue', `The filter '${Name}' is invalid`)
  }
}

/** Tells whether `item` passes all filters. They have to be checked before. */
export function matchesFilters<Item>(
  item: Item,
  filters: readonly Filter[] | undefined,
  table: FilterTable<Item>,
  tags: readonly Tagged[] = [],
): boolean {
  return (filters ?? []).every(({ Name = '', Values = [] }) => {
    const found = valuesOf(item, Name, table, tags)
    return found.some((value) => Values.some((pattern) => isLike(pattern, value)))
  })
}

function valuesOf<Item>(
  item: Item,
  name: string,
  table: FilterTable<Item>,
  tags: readonly Tagged[],
): readonly string[] {
  const look = Object.hasOwn(table, name) ? table[name] : undefined
  if (look) {
    const value = look(item)
    const values: readonly Value[] = Array.isArray(value) ? value : [value as Value]
    return values.filter((one) => one !== undefined).map(textOf)
  }
  if (name === 'tag-key') return tags.map(({ key }) => key)
  const key = name.slice('tag:'.length)
  return tags.filter((tag) => tag.key === key).map(({ value }) => value)
}

function textOf(value: Exclude<Value, undefined>): string {
  return value instanceof Date ? value.toISOString() : String(value)
}
