/** Reads what a call for an inventory says: whose, how many, and where to go on. */
import { ApiError, invalidParameterValue } from '../lib/errors.ts'
import { readPageQuery } from '../lib/pages.ts'

export interface InventoryRequest {
  /** All accounts', which is for the installation's own account alone. */
  readonly isOfAll: boolean
  readonly instanceId: string | undefined
  readonly imageId: string | undefined
  readonly after: string | undefined
  readonly limit: number
}

const limitUsual = 100
const limitMax = 1000
const names = new Set(['all', 'maxResults', 'nextToken', 'instanceId', 'imageId'])

export function readInventoryRequest(body: unknown): InventoryRequest {
  if (body !== undefined && (typeof body !== 'object' || body === null || Array.isArray(body))) {
    throw new ApiError('InvalidParameterValue', 'The body must be an object.')
  }
  const fields = new Map<string, unknown>(Object.entries(body ?? {}))
  for (const name of fields.keys()) {
    if (names.has(name)) continue
    throw new ApiError('UnknownParameter', `The parameter ${name.slice(0, 100)} is not recognized`)
  }
  const text = (name: string): string | undefined => {
    const value = fields.get(name)
    if (value === undefined || typeof value === 'string') return value
    throw invalidParameterValue(name, 'of another type', 'It must be a text.')
  }
  const MaxResults = readCount(fields.get('maxResults'))
  const query = { MaxResults, NextToken: text('nextToken') }
  const { after, count } = readPageQuery(query, { min: 1, max: limitMax })
  const all = fields.get('all') ?? false
  if (typeof all !== 'boolean')
    throw invalidParameterValue('all', 'of another type', 'It must be true or false.')
  return {
    isOfAll: all,
    instanceId: text('instanceId'),
    imageId: text('imageId'),
    after,
    limit: count,
  }
}

function readCount(value: unknown): number {
  if (value === undefined) return limitUsual
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  throw invalidParameterValue('maxResults', 'no number', 'It must be a number.')
}
