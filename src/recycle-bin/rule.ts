/**
 * A retention rule of the Recycle Bin: what is deleted while it matches stays for
 * some days and can be brought back.
 *
 *     (no lock) ──▶ locked ──▶ pending_unlock ──▶ unlocked
 *
 * A locked rule cannot be changed or deleted, and it unlocks by time alone.
 */
import type { Tag } from '../tags/tag.ts'

export type RetainedType = 'EBS_SNAPSHOT' | 'EC2_IMAGE' | 'EBS_VOLUME'

/** A tag that resources are picked by. Without a value, any value will do. */
export interface RuleTag {
  readonly key: string
  readonly value: string | undefined
}

export interface RuleLock {
  readonly unlockDelayDays: number
  /** When the rule is unlocked, once somebody has asked for it. */
  readonly unlocksAt: Date | undefined
}

export interface RetentionRule {
  readonly id: string
  readonly accountId: string
  readonly region: string
  readonly resourceType: RetainedType
  readonly retentionDays: number
  readonly description: string
  /** Resources with one of these are retained; none of them means every resource of the Region. */
  readonly resourceTags: readonly RuleTag[]
  /** Resources with one of these are not. */
  readonly excludeResourceTags: readonly RuleTag[]
  readonly createdAt: Date
  readonly lock: RuleLock | undefined
  /** Grows with each change, so that no change is made to what one has not seen. */
  readonly revision: number
}

export type LockState = 'locked' | 'pending_unlock' | 'unlocked'

export function lockStateOf({ lock }: Pick<RetentionRule, 'lock'>, now: Date): LockState {
  if (!lock) return 'unlocked'
  if (!lock.unlocksAt) return 'locked'
  return lock.unlocksAt > now ? 'pending_unlock' : 'unlocked'
}

export function matchesRule(
  rule: Pick<RetentionRule, 'resourceTags' | 'excludeResourceTags'>,
  tags: readonly Tag[],
): boolean {
  const has = ({ key, value }: RuleTag) =>
    tags.some((tag) => tag.key === key && (value === undefined || tag.value === value))
  if (rule.resourceTags.length > 0) return rule.resourceTags.some(has)
  return !rule.excludeResourceTags.some(has)
}

/** For how long a resource stays that is deleted now: the longest of the rules that match wins. */
export function retentionDaysOf(
  rules: readonly RetentionRule[],
  tags: readonly Tag[],
): number | undefined {
  const days = rules.filter((rule) => matchesRule(rule, tags)).map((rule) => rule.retentionDays)
  return days.length > 0 ? Math.max(...days) : undefined
}
