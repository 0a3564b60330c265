/**
 * Signature Version 4: who signed a request, and that nobody changed it since.
 * The body is always part of what is signed, in a presigned request too, or a
 * checksum of it is.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { ApiError } from '../lib/errors.ts'
import { canonicalRequests } from './canonical-request.ts'
import { queryOf } from './params.ts'
import { parseSignatureHeader, parseSignatureQuery } from './signature.ts'
import type { Signature } from './signature.ts'
import type { HttpRequest } from './request.ts'

export type { Signature } from './signature.ts'

const skewMsMax = 15 * 60 * 1000
const expiresSecondsMax = 7 * 24 * 60 * 60

/** What a request says of who signed it. That it is true is for `verifySignature` to find out. */
export function parseSignature(request: HttpRequest): Signature {
  const header = request.headers['authorization']
  const query = queryOf(request.target)
  const isPresigned = /(?:^|&)X-Amz-(?:Algorithm|Signature|Credential)=/.test(query)
  if (header !== undefined && isPresigned)
    throw incomplete('Only one way to sign a request is allowed: a header, or the query string.')
  if (header !== undefined) return parseSignatureHeader(header, request)
  if (isPresigned) return parseSignatureQuery(query)
  if (isSignedByVersion2(query) || isSignedByVersion2(Buffer.from(request.body).toString('latin1')))
    throw incomplete('Signature Version 2 is not supported. Sign with Signature Version 4.')
  throw new ApiError('MissingAuthenticationToken', 'Request is missing Authentication Token')
}

/** Throws unless `request` was signed with `secret`, not long ago. */
export function verifySignature(
  request: HttpRequest,
  signature: Signature,
  secret: string,
  now: Date,
): void {
  checkDate(signature, now)
  if (!signature.signedHeaders.includes('host')) {
    throw new ApiError(
      'SignatureDoesNotMatch',
      "'Host' must be a 'SignedHeader' in the AWS Authorization.",
    )
  }
  const canonicals = canonicalRequests(request, signature)
  const scope = [signature.scopeDate, signature.region, signature.service, 'aws4_request']
  const key = scope.reduce<string | Buffer>((chain, part) => hmac(chain, part), `AWS4${secret}`)
  const given = Buffer.from(signature.signature, 'hex')
  const isSigned = canonicals.some((canonical) => {
    const toSign = ['AWS4-HMAC-SHA256', signature.dateText, scope.join('/'), sha256(canonical)]
    const expected = hmac(key, toSign.join('\n'))
    return given.length === expected.length && timingSafeEqual(expected, given)
  })
  if (!isSigned) throw mismatch()
}

function checkDate(signature: Signature, now: Date): void {
  const { date, dateText, scopeDate, expiresSeconds } = signature
  if (!dateText.startsWith(scopeDate)) {
    throw new ApiError(
      'SignatureDoesNotMatch',
      'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ' +
        `'${scopeDate}' != '${dateText.slice(0, 8)}', from '${dateText}'.`,
    )
  }
  const ageMs = now.getTime() - date.getTime()
  const ageMsMax = expiresSeconds === undefined ? skewMsMax : expiresSeconds * 1000
  if (expiresSeconds !== undefined && (expiresSeconds < 1 || expiresSeconds > expiresSecondsMax))
    throw incomplete(`X-Amz-Expires must be from 1 second to ${expiresSecondsMax} seconds.`)
  if (ageMs <= ageMsMax && ageMs >= -skewMsMax) return
  // EC2 alone does not tell what the two clocks say.
  if (signature.service === 'ec2' || expiresSeconds !== undefined)
    throw new ApiError('RequestExpired', 'Request has expired.')
  const [said, sign, off] =
    ageMs > 0
      ? ['expired', '-', 'is now earlier than']
      : ['not yet current', '+', 'is still later than']
  const bound = new Date(now.getTime() - Math.sign(ageMs) * skewMsMax)
  throw new ApiError(
    'SignatureDoesNotMatch',
    `Signature ${said}: ${dateText} ${off} ${basic(bound)} (${basic(now)} ${sign} 15 min.)`,
  )
}

/** `20260101T120000Z` */
const basic = (at: Date): string => at.toISOString().replace(/[-:]|\.\d+/g, '')

/** The signatures of before 2014, which some scripts still make. */
function isSignedByVersion2(form: string): boolean {
  return /(?:^|&)(?:AWSAccessKeyId|SignatureVersion)=/.test(form)
}

const incomplete = (message: string): ApiError => new ApiError('IncompleteSignature', message)

const mismatch = (): ApiError =>
  new ApiError(
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the signature you provided. ' +
      'Check your AWS Secret Access Key and signing method. ' +
      'Consult the service documentation for details.',
  )

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest()
