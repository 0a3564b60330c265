/** A retention rule as the Recycle Bin's service answers it. */
import { lockStateOf, type RetentionRule, type RuleTag } from './rule.ts'

export const ruleArn = ({
  accountId,
  region,
  id,
}: Pick<RetentionRule, 'accountId' | 'region' | 'id'>): string =>
  `arn:aws:rbin:${region}:${accountId}:rule/${id}`

export function viewRule(rule: RetentionRule, now: Date) {
  return {
    ...viewSummary(rule, now),
    ResourceType: rule.resourceType,
    ResourceTags: rule.resourceTags.map(viewTag),
    ExcludeResourceTags: rule.excludeResourceTags.map(viewTag),
    Status: 'available',
    LockConfiguration: rule.lock && {
      UnlockDelay: { UnlockDelayValue: rule.lock.unlockDelayDays, UnlockDelayUnit: 'DAYS' },
    },
    LockEndTime: rule.lock?.unlocksAt,
  }
}

export function viewSummary(rule: RetentionRule, now: Date) {
  return {
    Identifier: rule.id,
    RuleArn: ruleArn(rule),
    Description: rule.description,
    RetentionPeriod: {
      RetentionPeriodValue: rule.retentionDays,
      RetentionPeriodUnit: 'DAYS',
    },
    LockState: lockStateOf(rule, now),
  }
}

const viewTag = ({ key, value }: RuleTag) => ({ ResourceTagKey: key, ResourceTagValue: value })
