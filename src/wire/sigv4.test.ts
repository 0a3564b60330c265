import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { test } from 'node:test'
import { SignatureV4 } from '@smithy/signature-v4'
import fc from 'fast-check'
import { ApiError } from '../lib/errors.ts'
import type { HttpRequest } from './request.ts'
import { parseSignature, verifySignature } from './sigv4.ts'

const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const signedAt = new Date('2026-08-22T10:15:30.000Z')

class Sha256 {
  readonly #hash
  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(key))
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data))
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#hash.digest()))
  }
  reset(): void {}
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data)
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return new Uint8Array(data)
}

function signer(sessionToken?: string): SignatureV4 {
  return new SignatureV4({
    service: 'ec2',
    region: 'eu-central-1',
    credentials: {
      accessKeyId: 'AKIDEXAMPLE',
      secretAccessKey: secret,
      ...(sessionToken === undefined ? {} : { sessionToken }),
    },
    sha256: Sha256,
  })
}

interface Plain {
  readonly method: string
  readonly path: string
  readonly query: Record<string, string | string[]>
  readonly headers: Record<string, string>
  readonly body: string
}

const plain: Plain = {
  method: 'POST',
  path: '/',
  query: {},
  headers: { host: '127.0.0.1:8080', 'content-type': 'application/x-www-form-urlencoded' },
  body: 'Action=DescribeImages&Version=2016-11-15',
}

const smithyRequest = ({ method, path, query, headers, body }: Plain) => ({
  method,
  protocol: 'http:',
  hostname: '127.0.0.1',
  path,
  query,
  headers,
  body,
})

const uri = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)

/** A request as it is on the wire once it is signed. */
function onWire(signed: Awaited<ReturnType<SignatureV4['presign']>>, body: string): HttpRequest {
  const query = Object.entries(signed.query ?? {}).flatMap(([name, value]) =>
    [value ?? ''].flat().map((each) => `${uri(name)}=${uri(each)}`),
  )
  const headers = Object.fromEntries(
    Object.entries(signed.headers).map(([name, value]) => [name.toLowerCase(), value]),
  )
  const target = signed.path + (query.length > 0 ? `?${query.join('&')}` : '')
  return { method: signed.method, target, headers, body: Buffer.from(body) }
}

async function signed(request: Plain, sessionToken?: string): Promise<HttpRequest> {
  const result = await signer(sessionToken).sign(smithyRequest(request), { signingDate: signedAt })
  return onWire(result, request.body)
}

async function presigned(request: Plain, expiresIn = 900): Promise<HttpRequest> {
  const result = await signer().presign(smithyRequest(request), {
    signingDate: signedAt,
    expiresIn,
  })
  return onWire(result, request.body)
}

function verify(request: HttpRequest, now = signedAt): void {
  const signature = parseSignature(request)
  // Each key has its own secret.
  const known = signature.accessKeyId === 'AKIDEXAMPLE' ? secret : 'other'
  verifySignature(request, signature, known, now)
}

const refusal = (code: string) => (error: unknown) =>
  error instanceof ApiError && error.code === code

const anyText = fc.string({ unit: 'grapheme', maxLength: 12 })
const anyPlain: fc.Arbitrary<Plain> = fc.record({
  method: fc.constantFrom('POST', 'GET'),
  path: fc.constantFrom('/', '/a/b', '/a/b/', '/%20x', '//a/./b/../c', '/a%2Fb~c'),
  query: fc.dictionary(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((n) => !/^x-amz/i.test(n)),
    fc.oneof(anyText, fc.array(anyText, { minLength: 1, maxLength: 3 })),
    { maxKeys: 4, noNullPrototype: true },
  ),
  headers: fc
    .record({
      'x-amz-meta': fc.stringMatching(/^[ -~]{0,20}$/),
      'x-amz-target': fc.stringMatching(/^[a-z \t]{0,20}$/),
    })
    .map((more) => ({ ...plain.headers, ...more })),
  body: anyText,
})

test('what the SDK signs is accepted, and says who signed it', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyPlain,
      fc.option(fc.stringMatching(/^[A-Za-z0-9+/=]{8,40}$/), { nil: undefined }),
      async (request, sessionToken) => {
        const wire = await signed(request, sessionToken)
        verify(wire)
        const signature = parseSignature(wire)
        assert.equal(signature.accessKeyId, 'AKIDEXAMPLE')
        assert.equal(signature.region, 'eu-central-1')
        assert.equal(signature.service, 'ec2')
        assert.equal(signature.sessionToken, sessionToken)
        assert.equal(signature.expiresSeconds, undefined)
        assert.deepEqual(signature.date, signedAt)
      },
    ),
    { numRuns: 100 },
  )
})

test('what the SDK presigns is accepted until it expires', async () => {
  await fc.assert(
    fc.asyncProperty(anyPlain, fc.integer({ min: 1, max: 604_800 }), async (request, seconds) => {
      const wire = await presigned({ ...request, headers: plain.headers }, seconds)
      verify(wire)
      verify(wire, new Date(signedAt.getTime() + seconds * 1000))
      assert.equal(parseSignature(wire).expiresSeconds, seconds)
      const later = new Date(signedAt.getTime() + seconds * 1000 + 1)
      assert.throws(() => verify(wire, later), refusal('RequestExpired'))
    }),
    { numRuns: 100 },
  )
})

/** `text` with the character at a place changed to another. */
function mutate(text: string, place: number, by: number): string {
  const at = place % text.length
  // Letters, digits and signs only: what a header may hold.
  const code = 33 + ((text.charCodeAt(at) - 33 + 1 + (by % 93)) % 94)
  return text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1)
}

test('one changed byte anywhere makes the signature wrong', async () => {
  const post = await signed(
    { ...plain, headers: { ...plain.headers, 'x-amz-meta': 'abc def' } },
    't',
  )
  const get = await presigned({ ...plain, method: 'GET', query: { Action: 'A', B: 'c' }, body: '' })
  const anyRequest = fc.constantFrom(post, get)
  fc.assert(
    fc.property(anyRequest, fc.nat(), fc.nat(), fc.nat(), (request, part, place, by) => {
      const names = Object.keys(request.headers)
      const choice = part % (names.length + 3)
      const name = names[choice]
      const changed: HttpRequest =
        name !== undefined
          ? {
              ...request,
              headers: {
                ...request.headers,
                [name]: mutate(request.headers[name] ?? '', place, by),
              },
            }
          : choice === names.length
            ? { ...request, method: mutate(request.method, place, by) }
            : choice === names.length + 1
              ? { ...request, target: mutate(request.target, place, by) }
              : {
                  ...request,
                  body: Buffer.from(mutate(`${bodyOf(request)} `, place, by)),
                }
      // What is not signed may change: the presigned request names the host only.
      if (name !== undefined && name !== 'authorization')
        fc.pre(parseSignature(request).signedHeaders.includes(name))
      fc.pre(meaning(changed) !== meaning(request))
      assert.throws(() => verify(changed), ApiError)
    }),
    { numRuns: 1000 },
  )
})

/** Two ways to write the same thing are no change: `%2f` and `%2F`, two commas for one. */
function meaning(request: HttpRequest): string {
  const [path = '', query = ''] = request.target.split('?', 2)
  return JSON.stringify([
    request.method,
    path.replace(/^\/[.]?$/, '/'),
    [...new URLSearchParams(query)].filter(([name, value]) => name + value !== ''),
    request.headers,
    bodyOf(request),
  ])
}

const bodyOf = ({ body }: HttpRequest): string => Buffer.from(body).toString('latin1')

test('another secret is refused', async () => {
  const request = await signed(plain)
  assert.throws(
    () => verifySignature(request, parseSignature(request), 'other', signedAt),
    refusal('SignatureDoesNotMatch'),
  )
})

test('a clock may be 15 minutes off, and no more', async () => {
  const request = await signed(plain)
  const minutes = (count: number) => new Date(signedAt.getTime() + count * 60_000)
  verify(request, minutes(15))
  verify(request, minutes(-15))
  assert.throws(() => verify(request, minutes(15.1)), refusal('RequestExpired'))
  assert.throws(() => verify(request, minutes(-15.1)), refusal('RequestExpired'))
  const address = await presigned({ ...plain, method: 'GET', body: '' })
  assert.throws(() => verify(address, minutes(-15.1)), refusal('RequestExpired'))
  // Other services than EC2 say what the clocks say.
  const signature = { ...parseSignature(request), service: 'sts' }
  for (const [off, message] of [
    [
      15.1,
      'expired: 20260822T101530Z is now earlier than 20260822T101536Z (20260822T103036Z - 15 min.)',
    ],
    [
      -15.1,
      'not yet current: 20260822T101530Z is still later than 20260822T101524Z (20260822T100024Z + 15 min.)',
    ],
  ] as const) {
    assert.throws(() => verifySignature(request, signature, secret, minutes(off)), {
      code: 'SignatureDoesNotMatch',
      message: `Signature ${message}`,
    })
  }
})

test('a request that nobody signed lacks its token', () => {
  const request = { method: 'POST', target: '/', headers: {}, body: new Uint8Array() }
  assert.throws(() => parseSignature(request), refusal('MissingAuthenticationToken'))
})

test('an address that would hold for more than a week is refused', async () => {
  const request = await presigned({ ...plain, method: 'GET', body: '' })
  const target = request.target.replace('X-Amz-Expires=900', 'X-Amz-Expires=604801')
  assert.throws(() => verify({ ...request, target }), refusal('IncompleteSignature'))
})

test('the key of another day is refused', async () => {
  const request = await signed(plain)
  const authorization = (request.headers['authorization'] ?? '').replace('/20260822/', '/20260821/')
  const changed = { ...request, headers: { ...request.headers, authorization } }
  assert.throws(() => verify(changed), refusal('SignatureDoesNotMatch'))
})

test('a signature that leaves the host open is refused', async () => {
  const { host, ...headers } = plain.headers
  const request = await signed({ ...plain, headers })
  assert(host)
  assert.throws(() => verify(request), refusal('SignatureDoesNotMatch'))
})

test('a signed body cannot be left open', async () => {
  const request = await signed({
    ...plain,
    headers: { ...plain.headers, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
  })
  assert.throws(() => verify(request), refusal('SignatureDoesNotMatch'))
})

test('a signature of version 2 is refused as such', () => {
  const request = { method: 'POST', target: '/', headers: {}, body: new Uint8Array() }
  const ways: HttpRequest[] = [
    { ...request, headers: { authorization: 'AWS AKID:c2lnbmF0dXJl' } },
    { ...request, target: '/?AWSAccessKeyId=AKID&SignatureVersion=2' },
    { ...request, body: Buffer.from('Action=A&SignatureVersion=2') },
  ]
  for (const way of ways)
    assert.throws(() => parseSignature(way), { code: 'IncompleteSignature', message: /Version 2/ })
})

test('whatever a signature is, it is read or refused, and nothing breaks', () => {
  const anyPart = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.constantFrom(
      'AWS4-HMAC-SHA256 ',
      'Credential=a/20260822/r/s/aws4_request',
      'SignedHeaders=host;__proto__;constructor',
      `Signature=${'0'.repeat(64)}`,
      ',',
      '&X-Amz-Signature=',
      '&X-Amz-Algorithm=AWS4-HMAC-SHA256',
      '&X-Amz-Expires=1',
      '%',
    ),
  )
  const anyText = fc.array(anyPart, { maxLength: 8 }).map((parts) => parts.join(''))
  const isRefusal = (error: unknown) => error instanceof ApiError
  fc.assert(
    fc.property(fc.boolean(), anyText, anyText, (inHeader, header, query) => {
      const headers: Record<string, string> = { 'x-amz-date': '20260822T101530Z', host: 'h' }
      if (inHeader) headers['authorization'] = header
      const request = { method: 'GET', target: `/?${query}`, headers, body: new Uint8Array() }
      assert.throws(() => verify(request), isRefusal)
    }),
    { numRuns: 1000 },
  )
})
