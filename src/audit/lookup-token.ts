/** Where the next page of a lookup begins: before which event, and of which question. */
import { createHash } from 'node:crypto'
import { ApiError } from '../lib/errors.ts'
import { parseJson } from '../lib/json.ts'

const digestOf = (question: string) => createHash('sha256').update(question).digest('base64url')

export function formatLookupToken(before: number, question: string): string {
  return Buffer.from(JSON.stringify([before, digestOf(question)])).toString('base64url')
}

/** Throws `InvalidNextTokenException` for what is no token, or another question's. */
export function parseLookupToken(token: string | undefined, question: string): number | undefined {
  if (!token) return undefined
  const read = (): unknown => {
    try {
      return parseJson(Buffer.from(token, 'base64url').toString())
    } catch {
      return undefined
    }
  }
  const said = read()
  const [before, digest] = Array.isArray(said) ? (said as readonly unknown[]) : []
  if (Number.isSafeInteger(before) && digest === digestOf(question)) return Number(before)
  throw new ApiError('InvalidNextTokenException', 'The token is not of this lookup.')
}
