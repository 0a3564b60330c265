/**
 * Long lists in pages. A token is opaque to the caller; inside it says after
 * which key the next page begins, so rows that come and go shift nothing.
 */
import { ApiError } from './errors.ts'
import { parseJson } from './json.ts'

export interface PageQuery {
  readonly MaxResults?: number | undefined
  readonly NextToken?: string | undefined
}

/** What a call allows, where it is not 5 to 1000. */
export interface PageLimits {
  readonly min?: number
  readonly max?: number
}

export interface Page<Item> {
  readonly items: readonly Item[]
  readonly NextToken?: string
}

/** Reads and checks what a call asks for: how many, and after which key. */
export function readPageQuery(
  query: PageQuery,
  { min = 5, max = 1000 }: PageLimits = {},
): { readonly after: string | undefined; readonly count: number } {
  const { MaxResults, NextToken } = query
  // Everything comes at once where the caller asks for no pages.
  if (MaxResults !== undefined && MaxResults < min) {
    throw new ApiError(
      'InvalidParameterValue',
      `Value ( ${MaxResults} ) for parameter maxResults is invalid. Expecting a value greater than ${min}.`,
    )
  }
  const count = MaxResults === undefined ? Infinity : Math.min(MaxResults, max)
  return { after: NextToken ? parseToken(NextToken) : undefined, count }
}

/** Cuts a page out of `items`, which are sorted by `key`. */
export function page<Item>(
  items: readonly Item[],
  query: PageQuery,
  key: (item: Item) => string,
  limits?: PageLimits,
): Page<Item> {
  const { after, count } = readPageQuery(query, limits)
  const rest = after === undefined ? items : items.filter((item) => key(item) > after)
  const cut = count < rest.length ? rest.slice(0, count) : rest
  const last = cut.at(-1)
  if (cut.length === rest.length || last === undefined) return { items: cut }
  return { items: cut, NextToken: formatToken(key(last)) }
}

export function formatToken(after: string): string {
  return Buffer.from(JSON.stringify({ v: 1, after })).toString('base64url')
}

function parseToken(token: string): string {
  try {
    const read = parseJson(Buffer.from(token, 'base64url').toString())
    if (read && typeof read === 'object' && 'after' in read && typeof read.after === 'string') {
      return read.after
    }
  } catch {
    // Not ours: refused below, like one that is readable and says nothing.
  }
  throw new ApiError('InvalidNextToken', 'The specified NextToken is invalid.')
}
