/**
 * The text that both sides of Signature Version 4 make of a request: however it
 * was written, what means the same gives the same text.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { digestOfShared } from '../lib/digest.ts'
import { decodeFormText, queryOf } from './params.ts'
import type { HttpRequest } from './request.ts'
import type { Signature } from './signature.ts'

/**
 * The texts that may have been signed, one after the other. None where a signed header is not
 * there, or the target is malformed.
 */
export function* canonicalRequests(request: HttpRequest, signature: Signature): Generator<string> {
  if (!request.target.startsWith('/')) return
  const query = canonicalQuery(queryOf(request.target))
  const headers = canonicalHeaders(request, signature.signedHeaders)
  if (query === undefined || headers === undefined) return
  const head = [
    request.method,
    canonicalPath(request.target.split('?', 1)[0] ?? ''),
    query,
    headers,
    signature.signedHeaders.join(';'),
  ].join('\n')
  for (const payload of payloadsOf(request, signature)) yield `${head}\n${payload}`
}

/**
 * What may stand for the body. It is never unsigned, as the parameters of a call are in
 * it; but a block of a snapshot is data alone, and a checksum of it is signed in its place.
 * Some clients say so in a header, and others don't.
 */
function* payloadsOf(
  { method, headers, body }: HttpRequest,
  { service, signedHeaders }: Signature,
): Iterable<string> {
  const mayBeUnsigned =
    service === 'ebs' && method === 'PUT' && signedHeaders.includes('x-amz-checksum')
  const said = headers['x-amz-content-sha256']
  if (mayBeUnsigned && (said === unsigned || said === undefined)) yield unsigned
  if (mayBeUnsigned && said === unsigned) return
  // The signed checksum says the same, and is compared with the body later.
  const checksum = Buffer.from(headers['x-amz-checksum'] ?? '', 'base64').toString('hex')
  if (mayBeUnsigned && said === checksum) return yield checksum
  yield digestOfShared(body).slice('sha256:'.length)
}

const unsigned = 'UNSIGNED-PAYLOAD'

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
