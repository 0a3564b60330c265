/** How columns hold what both databases have no common type for: a flag as a number, a time in milliseconds. */
import type { Flag } from './schema.ts'

export const toFlag = (value: boolean | undefined): Flag => (value ? 1 : 0)

export const toDate = (ms: number | null): Date | undefined =>
  ms === null ? undefined : new Date(ms)
