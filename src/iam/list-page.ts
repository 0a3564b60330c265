/** Lists of IAM in pages: a hundred items at a time where a call does not say how many. */
import { ApiError } from '../lib/errors.ts'
import { page } from '../lib/pages.ts'

export interface PageInput {
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

const itemsUsual = 100
const itemsMax = 1000

/** A page of `items`, and how to go on; they are sorted by `key`, which is one of its kind. */
export function pageOf<Item>(
  items: readonly Item[],
  { Marker, MaxItems = itemsUsual }: PageInput,
  key: (item: Item) => string,
): { readonly items: Item[]; readonly IsTruncated: boolean; readonly Marker: string | undefined } {
  if (MaxItems < 1 || MaxItems > itemsMax) {
    const bound = MaxItems < 1 ? 'greater than or equal to 1' : `less than or equal to ${itemsMax}`
    throw new ApiError(
      'ValidationError',
      `1 validation error detected: Value '${MaxItems}' at 'maxItems' failed to satisfy ` +
        `constraint: Member must have value ${bound}`,
    )
  }
  const sorted = items.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
  const query = { MaxResults: MaxItems, NextToken: Marker }
  const { items: cut, NextToken } = page(sorted, query, key, { min: 1, max: itemsMax })
  return { items: [...cut], IsTruncated: NextToken !== undefined, Marker: NextToken }
}
