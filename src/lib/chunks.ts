/** Long lists of ids, for queries: a database takes so many values in one `IN (…)`. */
const idsAtOnceMax = 500

/** Each id once, in their order, so that the rows of one chunk come before those of the next. */
export function* inChunks<T extends string>(ids: readonly T[]): Generator<readonly T[]> {
  const sorted = [...new Set(ids)].toSorted((one, other) => (one < other ? -1 : 1))
  for (let first = 0; first < sorted.length; first += idsAtOnceMax) {
    yield sorted.slice(first, first + idsAtOnceMax)
  }
}
