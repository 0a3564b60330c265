/**
 * The text that both sides of Signature Version 4 make of a request: however it
 * was written, what means the same gives the same text.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash } from 'node:crypto'
import { decodeFormText, queryOf } from './params.ts'
import type { HttpRequest } from './request.ts'
import type { Signature } from './signature.ts'

/** Nothing where a signed header is not there, or the target is malformed. */
export function canonicalRequest(request: HttpRequest, signature: Signature): string | undefined {
  if (!request.target.startsWith('/')) return undefined
  const query = canonicalQuery(queryOf(request.target))
  const headers = canonicalHeaders(request, signature.signedHeaders)
  if (query === undefined || headers === undefined) return undefined
  return [
    request.method,
    canonicalPath(request.target.split('?', 1)[0] ?? ''),
    query,
    headers,
    signature.signedHeaders.join(';'),
    // Never `UNSIGNED-PAYLOAD`: the parameters of a call are in its body.
    createHash('sha256').update(request.body).digest('hex'),
  ].join('\n')
}

/** Encoded once more than it was on the wire, as AWS has it for every service but S3. */
function canonicalPath(path: string): string {
  const kept: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') kept.pop()
    else if (part !== '' && part !== '.') kept.push(encodeUri(part))
  }
  const isFolder = path.endsWith('/') && kept.length > 0
  return `/${kept.join('/')}${isFolder ? '/' : ''}`
}

function canonicalQuery(query: string): string | undefined {
  const pairs: (readonly [string, string])[] = []
  for (const pair of query.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decodeFormText(equals < 0 ? pair : pair.slice(0, equals))
    const value = decodeFormText(equals < 0 ? '' : pair.slice(equals + 1))
    if (name === undefined || value === undefined) return undefined
    if (name !== 'X-Amz-Signature') pairs.push([encodeUri(name), encodeUri(value)])
  }
  return pairs
    .toSorted(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

function canonicalHeaders(request: HttpRequest, names: readonly string[]): string | undefined {
  let text = ''
  for (const name of names) {
    if (!Object.hasOwn(request.headers, name)) return undefined
    text += `${name}:${(request.headers[name] ?? '').trim().replace(/\s+/g, ' ')}\n`
  }
  return text
}

/** Everything but the unreserved characters of RFC 3986. */
function encodeUri(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
