/**
 * Which versions an advisory is about, as OSV evaluates it: those that it lists, and those
 * of its ranges.
 * https://ossf.github.io/osv-schema/#evaluation
 */
import type { CompareVersions } from './ecosystem.ts'

export type RangeEvent =
  | { readonly introduced: string }
  | { readonly fixed: string }
  | { readonly last_affected: string }

export interface Affected {
  readonly ranges: readonly (readonly RangeEvent[])[]
  /** Versions that no range has. */
  readonly versions: readonly string[]
}

/** Whether a version is affected, and whether there is a later one that is not. */
export function judgeVersion(
  version: string,
  { ranges, versions }: Affected,
  compare: CompareVersions,
): { readonly isAffected: boolean; readonly hasFix: boolean } {
  const within = ranges.filter((events) => isWithin(version, events, compare))
  const isListed = versions.some((listed) => compare(listed, version) === 0)
  const fixing = within.length > 0 ? within : ranges
  const hasFix = fixing
    .flat()
    .some((event) => 'fixed' in event && compare(event.fixed, version) > 0)
  return { isAffected: within.length > 0 || isListed, hasFix }
}

export function isWithin(
  version: string,
  events: readonly RangeEvent[],
  compare: CompareVersions,
): boolean {
  let is = false
  const at = (one: string, other: string) =>
    one === '0' ? (other === '0' ? 0 : -1) : other === '0' ? 1 : compare(one, other)
  for (const event of events.toSorted((one, other) => at(placeOf(one), placeOf(other)))) {
    if ('introduced' in event) {
      if (event.introduced === '0' || compare(version, event.introduced) >= 0) is = true
    } else if ('fixed' in event) {
      if (compare(version, event.fixed) >= 0) is = false
    } else if (compare(version, event.last_affected) > 0) is = false
  }
  return is
}

const placeOf = (event: RangeEvent): string =>
  'introduced' in event ? event.introduced : 'fixed' in event ? event.fixed : event.last_affected
