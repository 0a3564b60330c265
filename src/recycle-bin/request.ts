/** What the calls of the Recycle Bin's service ask for, checked. The SDK's types of it are older than it. */
import { ApiError, type ErrorCode } from '../lib/errors.ts'
import type { RetainedType, RetentionRule, RuleLock, RuleTag } from './rule.ts'

export interface RetentionPeriodInput {
  readonly RetentionPeriodValue?: number
  readonly RetentionPeriodUnit?: string
}

export interface LockConfigurationInput {
  readonly UnlockDelay?: { readonly UnlockDelayValue?: number; readonly UnlockDelayUnit?: string }
}

export interface ResourceTagInput {
  readonly ResourceTagKey?: string | undefined
  readonly ResourceTagValue?: string | undefined
}

export interface RuleInput {
  readonly Identifier?: string
  readonly ResourceType?: string
  readonly RetentionPeriod?: RetentionPeriodInput
  readonly Description?: string
  readonly ResourceTags?: readonly ResourceTagInput[]
  readonly ExcludeResourceTags?: readonly ResourceTagInput[]
  readonly LockConfiguration?: LockConfigurationInput
}

const types: readonly RetainedType[] = ['EBS_SNAPSHOT', 'EC2_IMAGE', 'EBS_VOLUME']
/** A volume keeps all that it has written, so AWS retains it for a week at most. */
const retentionDaysMax = { EBS_SNAPSHOT: 365, EC2_IMAGE: 365, EBS_VOLUME: 7 } as const
const unlockDelayDays = { min: 7, max: 30 } as const
const resourceTagsMax = 50
const excludeTagsMax = 5

export const invalid = (message: string): ApiError => refusal('ValidationException', message)

const reasons = {
  ValidationException: 'INVALID_PARAMETER_VALUE',
  ConflictException: 'INVALID_RULE_STATE',
  ResourceNotFoundException: 'RULE_NOT_FOUND',
  ServiceQuotaExceededException: 'SERVICE_QUOTA_EXCEEDED',
} as const satisfies Partial<Record<ErrorCode, string>>

/** A refusal with the reason that goes with its code. */
export function refusal(code: keyof typeof reasons, message: string): ApiError {
  return new ApiError(code, message, { reason: reasons[code] })
}

export const ruleNotFound = (id: string): ApiError =>
  refusal('ResourceNotFoundException', `The retention rule ${id} does not exist.`)

export function readId(text: string | undefined): string {
  if (text !== undefined && /^[0-9a-zA-Z]{11}$/.test(text)) return text
  throw invalid(`The identifier ${(text ?? '').slice(0, 100)} is not that of a retention rule.`)
}

export function readResourceType(text: string | undefined): RetainedType {
  const type = types.find((known) => known === text)
  if (type) return type
  throw invalid(`The resource type must be one of ${types.join(', ')}.`)
}

export function readRetentionDays(
  type: RetainedType,
  period: RetentionPeriodInput | undefined,
): number {
  const { RetentionPeriodValue: days = 0, RetentionPeriodUnit } = period ?? {}
  if (RetentionPeriodUnit !== 'DAYS') throw invalid('The unit of a retention period must be DAYS.')
  const max = retentionDaysMax[type]
  if (days >= 1 && days <= max) return days
  throw invalid(`The retention period must be from 1 to ${max} days.`)
}

export function readDescription(text: string): string {
  if (/^[\S ]{0,255}$/.test(text)) return text
  throw invalid('The description must be a line of at most 255 characters.')
}

export function readLock(lock: LockConfigurationInput | undefined): RuleLock {
  const { UnlockDelayValue: days = 0, UnlockDelayUnit } = lock?.UnlockDelay ?? {}
  const { min, max } = unlockDelayDays
  if (UnlockDelayUnit !== 'DAYS') throw invalid('The unit of an unlock delay must be DAYS.')
  if (days >= min && days <= max) return { unlockDelayDays: days, unlocksAt: undefined }
  throw invalid(`The unlock delay must be from ${min} to ${max} days.`)
}

/** Reads which resources a rule is for, and which not. */
export function readSelection(
  input: Pick<RuleInput, 'ResourceTags' | 'ExcludeResourceTags'>,
): Pick<RetentionRule, 'resourceTags' | 'excludeResourceTags'> {
  const resourceTags = readRuleTags(input.ResourceTags, resourceTagsMax)
  const excludeResourceTags = readRuleTags(input.ExcludeResourceTags, excludeTagsMax)
  if (resourceTags.length > 0 && excludeResourceTags.length > 0) {
    throw invalid('A rule that picks resources by tags cannot exclude any by tags.')
  }
  return { resourceTags, excludeResourceTags }
}

export function readRuleTags(
  tags: readonly ResourceTagInput[] | undefined,
  max: number,
): readonly RuleTag[] {
  if (tags && tags.length > max) throw invalid(`There can be at most ${max} tags.`)
  return (tags ?? []).map(({ ResourceTagKey: key = '', ResourceTagValue: value }) => {
    if (key === '' || key.length > 128 || (value?.length ?? 0) > 256)
      throw invalid('A tag has a key of 1 to 128 characters and a value of at most 256.')
    return { key, value }
  })
}

export function checkLockable({ resourceTags }: Pick<RetentionRule, 'resourceTags'>): void {
  if (resourceTags.length === 0) return
  throw invalid('Only rules for all resources of a Region can be locked.')
}
