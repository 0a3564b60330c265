/** Where a list of blocks begins and how long it may get, as the caller asks for it. */
import type { CallContext } from '../wire/operation.ts'
import { invalid } from './direct-snapshot.ts'
import { formatPageToken, readPageToken } from './token.ts'
import { tokensHoldMs, usualMaxResults } from './unknowns.ts'

const maxResults = { min: 100, max: 10_000 } as const

export interface BlockPage {
  readonly start: number
  readonly count: number
  /** When all that the page gives out expires. */
  readonly expiresAt: Date
  /** The token of the page that begins with that block. */
  readonly tokenOf: (next: number) => string
}

export function readBlockPage(
  input: {
    readonly NextToken?: string | undefined
    readonly MaxResults?: number | undefined
    readonly StartingBlockIndex?: number | undefined
  },
  { now, readers }: Pick<CallContext, 'now' | 'readers'>,
  list: string,
): BlockPage {
  const { NextToken, MaxResults = usualMaxResults, StartingBlockIndex = 0 } = input
  const { min, max } = maxResults
  if (MaxResults < min || MaxResults > max) {
    throw invalid('INVALID_PARAMETER_VALUE', `MaxResults must be from ${min} to ${max}.`)
  }
  if (StartingBlockIndex < 0) {
    throw invalid('INVALID_PARAMETER_VALUE', 'StartingBlockIndex must not be negative.')
  }
  const expiresAt = new Date(Math.floor((now.getTime() + tokensHoldMs) / 1000) * 1000)
  return {
    start: NextToken ? readPageToken(readers.seal, NextToken, { list, now }) : StartingBlockIndex,
    count: MaxResults,
    expiresAt,
    tokenOf: (next) => formatPageToken(readers.seal, { list }, { next, expiresAt }),
  }
}
