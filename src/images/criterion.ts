/**
 * The criteria of Allowed AMIs: an image of another account passes where it
 * meets one of them, and meets one by each thing that the criterion names.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-allowed-amis.html
 */
import type {
  ImageCriterion,
  ImageCriterionRequest,
  ImageWatermarkFilterResponse,
  ScanResultCondition,
} from '@aws-sdk/client-ec2'
import {
  isSeverityLabel,
  rankOf,
  type SeverityLabel,
  severityLabels,
} from '../advisories/severity.ts'
import { ApiError, invalidParameterValue } from '../lib/errors.ts'
import { isLike } from '../lib/like.ts'
import type { ScanResults } from '../scans/finding.ts'
import type { Image } from './image.ts'
import { allowsAllWithoutCriteria } from './unknowns.ts'
import type { Watermark } from './watermark.ts'

/** As EC2 writes it: it is kept and given back as it came. */
export type Criterion = ImageCriterion

/** What a criterion looks at. */
export interface Candidate {
  readonly image: Pick<Image, 'accountId' | 'name' | 'createdAt' | 'deprecatesAt'>
  readonly ownerAlias: string | undefined
  readonly watermarks: readonly Watermark[]
  /** Nothing where it was not scanned. */
  readonly scan?: ScanResults | undefined
}

const criteriaMax = 10
const providersMax = 200
const listMax = 50
const dayMs = 24 * 60 * 60 * 1000
/** Providers that go by a word, not by a number. */
const providerWords = ['amazon', 'aws-marketplace', 'aws-backup-vault']

export function readCriteria(input: readonly ImageCriterionRequest[] = []): readonly Criterion[] {
  checkCount('imageCriteria', input, criteriaMax)
  for (const criterion of input) checkCriterion(criterion)
  return input
}

/** Tells whether one criterion is met, or there is none to meet. */
export function meetsCriteria(
  criteria: readonly Criterion[],
  candidate: Candidate,
  now: Date,
): boolean {
  if (criteria.length === 0) return allowsAllWithoutCriteria
  return criteria.some((criterion) => meets(criterion, candidate, now))
}

function meets(criterion: Criterion, candidate: Candidate, now: Date): boolean {
  const { image, ownerAlias, watermarks } = candidate
  const { ImageProviders, ImageNames, CreationDateCondition, DeprecationTimeCondition } = criterion
  const isProvider = (provider: string) => provider === image.accountId || provider === ownerAlias
  if (ImageProviders && !ImageProviders.some(isProvider)) return false
  if (ImageNames && !ImageNames.some((pattern) => isLike(pattern, image.name))) return false
  const sinceCreated = CreationDateCondition?.MaximumDaysSinceCreated
  const age = now.getTime() - image.createdAt.getTime()
  if (sinceCreated !== undefined && age > sinceCreated * dayMs) return false
  const sinceDeprecated = DeprecationTimeCondition?.MaximumDaysSinceDeprecated
  if (sinceDeprecated !== undefined && image.deprecatesAt) {
    const since = now.getTime() - image.deprecatesAt.getTime()
    // With 0 days, what is deprecated at this moment is already out.
    if (since >= 0 && since >= sinceDeprecated * dayMs) return false
  }
  const { ImageWatermarks } = criterion
  const isMarked = ImageWatermarks?.some((wanted) =>
    watermarks.some((watermark) => isWanted(wanted, watermark, now)),
  )
  if (isMarked === false) return false
  const { ScanResultCondition } = criterion
  if (ScanResultCondition && !meetsScan(ScanResultCondition, candidate.scan, now)) return false
  // No image here is of the marketplace.
  return !criterion.MarketplaceProductCodes
}

const scanDays = {
  informational: 'MaxDaysSinceInformationalFixAvailable',
  low: 'MaxDaysSinceLowFixAvailable',
  medium: 'MaxDaysSinceMediumFixAvailable',
  high: 'MaxDaysSinceHighFixAvailable',
  critical: 'MaxDaysSinceCriticalFixAvailable',
} as const satisfies Record<SeverityLabel, keyof ScanResultCondition>

function meetsScan(
  condition: ScanResultCondition,
  scan: ScanResults | undefined,
  now: Date,
): boolean {
  if (!scan) return false
  const isWithin = (days: number | undefined, sinceMs: number | undefined) =>
    days === undefined || sinceMs === undefined || now.getTime() - sinceMs <= days * dayMs
  const { MaximumSeverityLabel: most } = condition
  if (most !== undefined && rankOf(scan.highest) > rankOf(most)) return false
  if (!isWithin(condition.MaxDaysSinceLastFindingScan, scan.scannedAtMs)) return false
  return severityLabels.every((label) =>
    isWithin(condition[scanDays[label]], scan.fixSinceMs[label]),
  )
}

function isWanted(wanted: ImageWatermarkFilterResponse, watermark: Watermark, now: Date): boolean {
  const isLikeIf = (pattern: string | undefined, text: string) =>
    pattern === undefined || isLike(pattern, text)
  const isWithin = (days: number | undefined, since: Date) =>
    days === undefined || now.getTime() - since.getTime() <= days * dayMs
  return (
    isLikeIf(wanted.WatermarkKey, watermark.key) &&
    isLikeIf(wanted.SourceImageRegion, watermark.sourceImageRegion) &&
    isWithin(wanted.MaximumDaysSinceSourceImageCreated, watermark.sourceImageCreatedAt) &&
    isWithin(wanted.MaximumDaysSinceWatermarkCreated, watermark.createdAt)
  )
}

function checkCriterion(criterion: ImageCriterionRequest): void {
  const { ImageProviders: providers, ImageNames, MarketplaceProductCodes } = criterion
  if (Object.values(criterion).every((value) => value === undefined)) {
    throw new ApiError('InvalidParameterValue', 'An image criterion must name something.')
  }
  checkCount('imageProviders', providers, providersMax)
  checkCount('imageNames', ImageNames, listMax)
  checkCount('marketplaceProductCodes', MarketplaceProductCodes, listMax)
  checkCount('imageWatermarks', criterion.ImageWatermarks, listMax)
  for (const provider of providers ?? []) {
    if (/^\d{12}$/.test(provider) || providerWords.includes(provider)) continue
    if (provider === 'none' && providers?.length === 1) continue
    throw invalidParameterValue(
      'imageProvider',
      provider,
      `It must be an account id, ${providerWords.join(', ')}, or none alone.`,
    )
  }
  for (const name of ImageNames ?? []) checkNamePattern(name)
  for (const code of MarketplaceProductCodes ?? []) {
    if (/^[A-Za-z0-9]{1,25}$/.test(code)) continue
    const rule = 'It must have 1 to 25 letters and numbers.'
    throw invalidParameterValue('marketplaceProductCode', code, rule)
  }
  for (const wanted of criterion.ImageWatermarks ?? []) {
    checkDays('maximumDaysSinceSourceImageCreated', wanted.MaximumDaysSinceSourceImageCreated)
    checkDays('maximumDaysSinceWatermarkCreated', wanted.MaximumDaysSinceWatermarkCreated)
  }
  checkDays('maximumDaysSinceCreated', criterion.CreationDateCondition?.MaximumDaysSinceCreated)
  checkDays(
    'maximumDaysSinceDeprecated',
    criterion.DeprecationTimeCondition?.MaximumDaysSinceDeprecated,
  )
  if (criterion.ScanResultCondition) checkScanCondition(criterion.ScanResultCondition)
}

function checkNamePattern(name: string): void {
  if (!/^[A-Za-z0-9()[\] ./\-'@_*?]{1,128}$/.test(name)) {
    const rule = "It must have 1 to 128 letters, numbers, spaces, or characters of ()[]./-'@_*?"
    throw invalidParameterValue('imageName', name, rule)
  }
  if (!name.includes('?') || name.length >= 3) return
  throw invalidParameterValue('imageName', name, 'With ?, it must have 3 characters or more.')
}

function checkScanCondition(condition: ScanResultCondition): void {
  const { MaximumSeverityLabel: most } = condition
  if (most !== undefined && !isSeverityLabel(most)) {
    const expected = `It must be one of ${severityLabels.join(', ')}.`
    throw invalidParameterValue('maximumSeverityLabel', most, expected)
  }
  checkDays('maxDaysSinceLastFindingScan', condition.MaxDaysSinceLastFindingScan)
  for (const name of Object.values(scanDays)) {
    checkDays(`m${name.slice(1)}`, condition[name])
  }
}

function checkCount(name: string, items: readonly unknown[] | undefined, max: number): void {
  if ((items?.length ?? 0) <= max) return
  throw new ApiError('InvalidParameterValue', `The parameter ${name} can have ${max} items.`)
}

function checkDays(name: string, days: number | undefined): void {
  if (days === undefined || days >= 0) return
  throw invalidParameterValue(name, String(days), 'It must not be negative.')
}
