/**
 * A report on who else uses an image, as of when it was asked for.
 *
 *     pending ──▶ available ──▶ (gone after 30 days)
 *        └──────▶ error ────────────────┘
 */
import { ApiError } from '../lib/errors.ts'
import { type Id, isId } from '../lib/ids.ts'
import { type ReferringType, referringTypes, type Scope } from './reference.ts'

export type ReportId = Id<'image-usage-report'>

export interface UsageReport {
  readonly id: ReportId
  readonly accountId: string
  readonly region: string
  readonly imageId: Id<'image'>
  readonly scopes: readonly Scope[]
  /** The accounts that it is about; none for all. */
  readonly accountIds: readonly string[]
  readonly state: 'pending' | 'available' | 'error'
  readonly stateReason: string | undefined
  readonly createdAt: Date
}

/** How often resources of one type use the image in one account. */
export interface UsageEntry {
  readonly reportId: ReportId
  readonly accountId: string
  readonly resourceType: string
  readonly count: number
}

/** An account's parameters are its own business: nobody else is told of them. */
export const reportedTypes: readonly ReferringType[] = referringTypes.filter(
  (type) => type !== 'ssm:Parameter',
)

const lifeMs = 30 * 24 * 60 * 60 * 1000

export function expiryOf({ createdAt }: Pick<UsageReport, 'createdAt'>): Date {
  return new Date(createdAt.getTime() + lifeMs)
}

/** What was made before is over now. */
export function bornBefore(now: Date): Date {
  return new Date(now.getTime() - lifeMs)
}

const accountsMax = 200

export function checkAccountIds(ids: readonly string[]): readonly string[] {
  if (ids.length > accountsMax) {
    const message = `A report can name at most ${accountsMax} accounts.`
    throw new ApiError('InvalidParameterValue', message)
  }
  const bad = ids.find((id) => !/^\d{12}$/.test(id))
  if (bad === undefined) return [...new Set(ids)]
  throw new ApiError('InvalidUserID.Malformed', `Invalid user id: "${bad}"`)
}

export function parseReportId(text: string): ReportId {
  if (isId('image-usage-report', text)) return text
  const message = `Invalid id: "${text}" (expecting "amiur-...")`
  throw new ApiError('InvalidImageUsageReportId.Malformed', message)
}

export function reportNotFound(id: string): ApiError {
  const message = `The image usage report '${id}' does not exist.`
  return new ApiError('InvalidImageUsageReportId.NotFound', message)
}
