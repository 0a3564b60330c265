/**
 * Reports on how the accounts of an organization, or of a part of it, have the settings
 * that a declarative policy could say.
 *
 *     running ──▶ complete | cancelled | error
 */
import { ApiError } from '../lib/errors.ts'
import { type Id, isId } from '../lib/ids.ts'
import { reportRefusedCode, reportStateCode } from '../organizations/unknowns.ts'

export const resourceType = 'declarative-policies-report'
export type ReportId = Id<typeof resourceType>

export interface Report {
  readonly id: ReportId
  readonly accountId: string
  readonly region: string
  readonly organizationId: string
  readonly bucket: string
  readonly prefix: string | undefined
  /** The root, a unit or an account. */
  readonly targetId: string
  readonly state: 'running' | 'complete' | 'cancelled' | 'error'
  readonly startedAt: Date
  readonly endedAt: Date | undefined
  readonly summary: Summary | undefined
}

/** One account's value of one setting in one Region. */
export interface Line {
  readonly accountId: string
  readonly region: string
  readonly attribute: string
  readonly value: string
  readonly managedBy: string
}

/** How many accounts have the value that most have. */
export interface Counts {
  readonly matched: number
  readonly unmatched: number
}

export interface AttributeSummary extends Counts {
  readonly name: string
  readonly mostFrequent: string
  readonly regions: readonly (Counts & { readonly region: string })[]
}

export interface Summary {
  readonly accounts: number
  readonly attributes: readonly AttributeSummary[]
}

/** The object that the lines are written to. */
export function objectKeyOf({ id, prefix, targetId, startedAt }: Report): string {
  const time = startedAt.toISOString().slice(0, 16).replaceAll(/[-:]/g, '')
  const name = `ec2_${targetId}_${id}_${time}Z.csv`
  return prefix === undefined ? name : `${prefix.replace(/\/+$/, '')}/${name}`
}

/** The lines as a table. No value has a comma or a quote in it. */
export function encodeLines(lines: readonly Line[]): string {
  const rows = lines.map(({ accountId, region, attribute, value, managedBy }) =>
    [accountId, region, attribute, value, managedBy].join(','),
  )
  return ['account_id,region,attribute,value,managed_by', ...rows, ''].join('\n')
}

/** What is most frequent of each setting, and who has it: an account matches that has it in all Regions. */
export function summarise(lines: readonly Line[]): Summary {
  const attributes = Map.groupBy(lines, ({ attribute }) => attribute)
  return {
    accounts: new Set(lines.map(({ accountId }) => accountId)).size,
    attributes: [...attributes].map(([name, some]) => {
      const mostFrequent = mostOf(some.map(({ value }) => value))
      const countsOf = (part: readonly Line[]): Counts => {
        const all = new Set(part.map(({ accountId }) => accountId))
        const others = part.filter(({ value }) => value !== mostFrequent)
        const unmatched = new Set(others.map(({ accountId }) => accountId)).size
        return { matched: all.size - unmatched, unmatched }
      }
      const regions = [...Map.groupBy(some, ({ region }) => region)].map(([region, part]) => ({
        region,
        ...countsOf(part),
      }))
      return { name, mostFrequent, ...countsOf(some), regions }
    }),
  }
}

/** The value that comes most often; of those that come equally often the first in order. */
function mostOf(values: readonly string[]): string {
  const counts = [...Map.groupBy(values, (value) => value)]
  const [first] = counts.toSorted(([a, as], [b, bs]) => bs.length - as.length || (a < b ? -1 : 1))
  return first?.[0] ?? ''
}

export function parseReportId(text: string): ReportId {
  if (isId(resourceType, text)) return text
  throw new ApiError(
    'InvalidDeclarativePoliciesReportId.Malformed',
    `Invalid id: "${text}" (expecting "dpr-...")`,
  )
}

export const reportNotFound = (id: string): ApiError =>
  new ApiError(
    'InvalidDeclarativePoliciesReportId.NotFound',
    `The declarative policies report '${id}' does not exist`,
  )

export const wrongState = (message: string): ApiError => new ApiError(reportStateCode, message)

/** Who does not manage an organization learns nothing of others' accounts. */
export const notManaging = (): ApiError =>
  new ApiError(
    reportRefusedCode,
    'Only the management account of an organization, and its administrator of EC2, can have ' +
      'reports on its accounts.',
  )
