/**
 * A signature as it is written down: in the `Authorization` header, or in the
 * query string of a presigned address. What is malformed is refused here.
 */
import { ApiError } from '../lib/errors.ts'
import { decodeFormText } from './params.ts'
import type { HttpRequest } from './request.ts'

export interface Signature {
  readonly accessKeyId: string
  /** When the request was signed. */
  readonly date: Date
  /** The same as it was written: `20260822T101530Z`. */
  readonly dateText: string
  /** The day that the signing key is for: `20260822`. */
  readonly scopeDate: string
  readonly region: string
  readonly service: string
  /** In the order in which they were signed. */
  readonly signedHeaders: readonly string[]
  /** 64 hexadecimal digits. */
  readonly signature: string
  /** For how long a presigned address holds. Only those have one. */
  readonly expiresSeconds?: number
  /** What goes with the key of a session. */
  readonly sessionToken?: string
}

const algorithm = 'AWS4-HMAC-SHA256'
const signedHeadersMax = 100

/** `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…` */
export function parseSignatureHeader(header: string, request: HttpRequest): Signature {
  const [name = '', ...rest] = header.trim().split(' ')
  checkAlgorithm(name)
  const parts = new Map<string, string>()
  for (const part of rest.join('').split(',')) {
    const equals = part.indexOf('=')
    const key = equals < 0 ? part : part.slice(0, equals)
    if (equals < 0 || parts.has(key))
      throw incomplete(`Invalid key=value pair (missing equal-sign) in Authorization header.`)
    parts.set(key, part.slice(equals + 1))
  }
  const take = (key: string): string =>
    parts.get(key) || refuse(`Authorization header requires '${key}' parameter.`)
  const dateText =
    request.headers['x-amz-date'] ??
    refuse("Authorization header requires existence of a 'X-Amz-Date' header.")
  const sessionToken = request.headers['x-amz-security-token']
  return {
    ...parseParts(take('Credential'), take('SignedHeaders'), take('Signature'), dateText),
    ...(sessionToken === undefined ? {} : { sessionToken }),
  }
}

/** `X-Amz-Algorithm=…&X-Amz-Credential=…&X-Amz-Date=…&X-Amz-Expires=…&…` */
export function parseSignatureQuery(query: string): Signature {
  const parts = new Map<string, string>()
  for (const pair of query.split('&')) {
    const [name = '', value = ''] = pair.split('=', 2)
    if (!name.startsWith('X-Amz-')) continue
    if (parts.has(name)) throw incomplete(`The parameter ${name} is given more than once.`)
    parts.set(name, decodeFormText(value) ?? refuse(`The parameter ${name} is malformed.`))
  }
  const take = (key: string): string =>
    parts.get(key) || refuse(`AWS query-string parameters must include '${key}'.`)
  checkAlgorithm(take('X-Amz-Algorithm'))
  const expires = take('X-Amz-Expires')
  if (!/^\d{1,9}$/.test(expires)) throw incomplete('X-Amz-Expires must be a number of seconds.')
  const sessionToken = parts.get('X-Amz-Security-Token')
  return {
    ...parseParts(
      take('X-Amz-Credential'),
      take('X-Amz-SignedHeaders'),
      take('X-Amz-Signature'),
      take('X-Amz-Date'),
    ),
    expiresSeconds: Number(expires),
    ...(sessionToken === undefined ? {} : { sessionToken }),
  }
}

function parseParts(
  credential: string,
  signedHeadersText: string,
  signature: string,
  dateText: string,
): Omit<Signature, 'expiresSeconds' | 'sessionToken'> {
  const [accessKeyId = '', scopeDate = '', region = '', service = '', end, ...more] =
    credential.split('/')
  if (!accessKeyId || !region || !service || end !== 'aws4_request' || more.length > 0)
    throw incomplete(
      "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '" +
        `${credential.slice(0, 200)}'`,
    )
  if (!/^\d{8}$/.test(scopeDate)) throw incomplete('Credential must be scoped to a valid date.')
  const signedHeaders = signedHeadersText.split(';')
  if (
    signedHeaders.length > signedHeadersMax ||
    new Set(signedHeaders).size < signedHeaders.length ||
    !signedHeaders.every((name) => /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name))
  )
    throw incomplete('SignedHeaders must be names of headers in lower case.')
  if (!/^[0-9a-f]{64}$/.test(signature))
    throw incomplete('Signature must be 64 hexadecimal digits in lower case.')
  const date = parseDate(dateText) ?? refuse(`Date must be in ISO-8601 'basic format'.`)
  return { accessKeyId, date, dateText, scopeDate, region, service, signedHeaders, signature }
}

/** `20260822T101530Z` */
function parseDate(text: string): Date | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour, minute, second] = match
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(date.getTime()) ? undefined : date
}

function checkAlgorithm(name: string): void {
  if (name === algorithm) return
  if (name === 'AWS')
    throw incomplete('Signature Version 2 is not supported. Sign with Signature Version 4.')
  throw incomplete(`Unsupported AWS 'algorithm': '${name.slice(0, 50)}'. Use ${algorithm}.`)
}

function refuse(message: string): never {
  throw incomplete(message)
}

const incomplete = (message: string): ApiError => new ApiError('IncompleteSignature', message)
