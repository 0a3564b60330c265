/**
 * Calls of the EBS direct APIs that nobody's client makes: each part of a right one changed,
 * and signed again; and tokens that were changed, cut, or made for something else. The answer is
 * a refusal or a success, never a fault, and it comes. What was stored before is as it was.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { test } from 'node:test'
import {
  CompleteSnapshotCommand,
  EBSClient,
  GetSnapshotBlockCommand,
  ListSnapshotBlocksCommand,
  PutSnapshotBlockCommand,
  StartSnapshotCommand,
} from '@aws-sdk/client-ebs'
import { SignatureV4 } from '@smithy/signature-v4'
import fc from 'fast-check'
import { Sha256 } from '../src/cli/sha256.ts'
import { region, startSystem, type TestSystem } from './system.ts'

const blockBytes = 512 * 1024
const answersWithinMs = 15_000
const blockOf = (number: number) => Buffer.alloc(blockBytes, number)
const checksumOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('base64')

interface Request {
  readonly method: string
  readonly path: readonly string[]
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

const nothing = { query: {}, headers: {}, body: Buffer.alloc(0) }
const block = blockOf(7)
const blockHeaders = {
  'x-amz-data-length': String(blockBytes),
  'x-amz-checksum': checksumOf(block),
  'x-amz-checksum-algorithm': 'SHA256',
  'x-amz-progress': '10',
}

/** What there is to ask for. */
interface Known {
  readonly whole: string
  readonly open: string
  readonly blockTokens: readonly string[]
  readonly pageToken: string
}

const calls = {
  list: ({ whole, pageToken }: Known): Request => ({
    ...nothing,
    method: 'GET',
    path: ['snapshots', whole, 'blocks'],
    query: { maxResults: '100', pageToken, startingBlockIndex: '0' },
  }),
  changed: ({ whole }: Known): Request => ({
    ...nothing,
    method: 'GET',
    path: ['snapshots', whole, 'changedblocks'],
    query: { firstSnapshotId: whole, maxResults: '100', startingBlockIndex: '0' },
  }),
  get: ({ whole, blockTokens }: Known): Request => ({
    ...nothing,
    method: 'GET',
    path: ['snapshots', whole, 'blocks', '0'],
    query: { blockToken: blockTokens[0] ?? '' },
  }),
  start: ({ whole }: Known): Request => ({
    ...nothing,
    method: 'POST',
    path: ['snapshots'],
    body: Buffer.from(
      JSON.stringify({
        VolumeSize: 1,
        ParentSnapshotId: whole,
        ClientToken: 'a-token',
        Description: 'text',
        Timeout: 60,
        Tags: [{ Key: 'a', Value: 'b' }],
      }),
    ),
  }),
  put: ({ open }: Known): Request => ({
    ...nothing,
    method: 'PUT',
    path: ['snapshots', open, 'blocks', '3'],
    headers: blockHeaders,
    body: block,
  }),
  complete: ({ open }: Known): Request => ({
    ...nothing,
    method: 'POST',
    path: ['snapshots', 'completion', open],
    headers: {
      'x-amz-changedblockscount': '1',
      'x-amz-checksum': checksumOf(createHash('sha256').update(block).digest()),
      'x-amz-checksum-algorithm': 'SHA256',
      'x-amz-checksum-aggregation-method': 'LINEAR',
    },
  }),
} as const

const nasty = fc.constantFrom(
  '',
  ' ',
  '\0',
  '-1',
  '0',
  '1e3',
  '2048',
  '2147483648',
  '9007199254740993',
  '99999999999999999999999999',
  'NaN',
  '0x10',
  'SHA-1',
  'MD5',
  'null',
  '{}',
  '[]',
  '__proto__',
  '\u{1f600}',
  '%',
  '%2e%2e',
  '..',
  'snap-',
  'snap-0123456789abcdef0',
  'SNAP-0123456789ABCDEF0',
  '/',
  'A'.repeat(43) + '=',
  'x'.repeat(9000),
  "'; DROP TABLE snapshots; --",
)
const changeOf = fc.oneof(
  fc.record({ do: fc.constant('path' as const), at: fc.nat(5), nasty }),
  fc.record({ do: fc.constant('query' as const), at: fc.nat(5), nasty, isName: fc.boolean() }),
  fc.record({ do: fc.constant('header' as const), at: fc.nat(5), nasty, isGone: fc.boolean() }),
  fc.record({ do: fc.constant('byte' as const), at: fc.nat(blockBytes), byte: fc.nat(255) }),
  fc.record({ do: fc.constant('cut' as const), at: fc.nat(blockBytes + 1) }),
  fc.record({ do: fc.constant('text' as const), at: fc.nat(1000), nasty }),
  fc.record({
    do: fc.constant('method' as const),
    method: fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'PATCH'),
  }),
)
type Change = typeof changeOf extends fc.Arbitrary<infer T> ? T : never

function changed(call: Request, change: Change): Request {
  const { path, query, headers, body } = call
  switch (change.do) {
    case 'method':
      return { ...call, method: change.method }
    case 'path': {
      const at = change.at % path.length
      return { ...call, path: path.with(at, change.nasty) }
    }
    case 'query': {
      const [name = 'more'] = Object.keys(query).slice(change.at % 3)
      const to = change.isName ? { [change.nasty]: query[name] ?? '' } : { [name]: change.nasty }
      return { ...call, query: { ...query, ...to } }
    }
    case 'header': {
      const [name = 'x-amz-more'] = Object.keys(headers).slice(change.at % 4)
      const value = change.nasty.replace(/[^\x20-\x7e]/g, '?').trim()
      const rest = Object.fromEntries(Object.entries(headers).filter(([one]) => one !== name))
      return { ...call, headers: change.isGone ? rest : { ...rest, [name]: value } }
    }
    case 'byte': {
      const copy = Buffer.from(body)
      if (copy.length > 0) copy[change.at % copy.length] = change.byte
      return { ...call, body: copy }
    }
    case 'cut':
      return { ...call, body: body.subarray(0, change.at % (body.length + 1)) }
    case 'text': {
      const parts = body
        .subarray(0, 1000)
        .toString()
        .split(/("[^"]*"|\d+)/)
      parts[((change.at * 2 + 1) % Math.max(1, parts.length - 1)) | 1] = JSON.stringify(
        change.nasty,
      )
      return { ...call, body: Buffer.from(parts.join('')) }
    }
  }
}

/** Signs a call and sends it. It has to answer in time. */
async function send(system: TestSystem, call: Request): Promise<number> {
  const { hostname, port, host, protocol } = new URL(system.endpoint)
  const path = `/${call.path.map(encodeURIComponent).join('/')}`
  const signer = new SignatureV4({
    service: 'ebs',
    region,
    credentials: system.settingsWith().credentials,
    sha256: Sha256,
    uriEscapePath: false,
  })
  const { method, query, body } = call
  const headers = { ...call.headers, host, 'content-length': String(body.length) }
  const signed = await signer.sign({ method, protocol, hostname, path, query, headers, body })
  const text = Object.entries(query).map((pair) => pair.map(encodeURIComponent).join('='))
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const sent = request({
    hostname,
    port,
    method,
    path: text.length > 0 ? `${path}?${text.join('&')}` : path,
    headers: signed.headers,
    agent: false,
    timeout: answersWithinMs,
  })
  sent.on('timeout', () => sent.destroy(new Error('it does not answer')))
  sent.on('error', reject)
  sent.on('response', (response) => {
    response.resume().on('end', () => resolve(response.statusCode ?? 0))
  })
  sent.end(body)
  return await promise
}

async function start(system: TestSystem, ebs: EBSClient): Promise<Known> {
  const begin = async () =>
    (await ebs.send(new StartSnapshotCommand({ VolumeSize: 1 }))).SnapshotId ?? ''
  const [whole, open] = [await begin(), await begin()]
  for (const BlockIndex of [0, 1, 2]) {
    const BlockData = blockOf(BlockIndex + 1)
    const content = { BlockData, DataLength: blockBytes, Checksum: checksumOf(BlockData) }
    const input = {
      SnapshotId: whole,
      BlockIndex,
      ...content,
      ChecksumAlgorithm: 'SHA256',
    } as const
    await ebs.send(new PutSnapshotBlockCommand(input))
  }
  await ebs.send(new CompleteSnapshotCommand({ SnapshotId: whole, ChangedBlocksCount: 3 }))
  const listed = await system.until('the snapshot', () =>
    ebs.send(new ListSnapshotBlocksCommand({ SnapshotId: whole })).catch(() => undefined),
  )
  const blockTokens = (listed.Blocks ?? []).map(({ BlockToken = '' }) => BlockToken)
  assert.equal(blockTokens.length, 3)
  return { whole, open, blockTokens, pageToken: '' }
}

test('whatever is sent to the EBS direct APIs is answered, and never by a fault', async (context) => {
  const system = await startSystem(context)
  const ebs = new EBSClient(system.settingsWith())
  context.after(() => ebs.destroy())
  let known = await start(system, ebs)
  // Right calls, so that it is known that changed ones fail by what was changed.
  const right = { get: 200, list: 200, changed: 200, start: 201, put: 201, complete: 202 } as const
  for (const [name, status] of Object.entries(right)) {
    assert.equal(await send(system, calls[name as keyof typeof calls](known)), status, name)
  }
  const first = known
  known = { ...(await start(system, ebs)), whole: first.whole, blockTokens: first.blockTokens }

  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.values(calls)),
      fc.array(changeOf, { minLength: 1, maxLength: 3 }),
      async (call, changes) => {
        const status = await send(system, changes.reduce(changed, call(known)))
        assert(status >= 200 && status < 500, `${status}`)
      },
    ),
    { numRuns: 600 },
  )

  const get = async (BlockIndex: number, BlockToken: string) => {
    const wanted = new GetSnapshotBlockCommand({ SnapshotId: first.whole, BlockIndex, BlockToken })
    return await (await ebs.send(wanted)).BlockData?.transformToByteArray()
  }
  await fc.assert(
    fc.asyncProperty(
      fc.nat(2),
      fc.nat(2),
      fc.nat(200),
      fc.oneof(fc.constant(undefined), fc.string({ maxLength: 40 })),
      async (asked, made, at, text) => {
        const token = first.blockTokens[made] ?? ''
        const place = at % (token.length + 1)
        const bent =
          text === undefined ? token : token.slice(0, place) + text + token.slice(place + 1)
        const got = await get(asked, bent).catch((error: unknown) => error)
        if (bent === token && asked === made) assert(!(got instanceof Error))
        else
          assert.equal(got instanceof Error && 'Reason' in got && got.Reason, 'INVALID_BLOCK_TOKEN')
      },
    ),
    // Found once: what base64 reads over was read over.
    { numRuns: 150, examples: [[2, 2, 76, ' ']] },
  )

  for (const [index, token] of first.blockTokens.entries()) {
    const bytes = await get(index, token)
    assert(bytes && blockOf(index + 1).equals(bytes))
  }
})
