/**
 * Requests to the metadata service that no guest's tool makes: paths, headers and
 * tokens that were changed anywhere. Whatever it is asked, it answers by one of its
 * statuses, and tells nothing to whom its options do not let.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { RunInstancesCommand } from '@aws-sdk/client-ec2'
import fc from 'fast-check'
import { answerMetadata } from '../src/imds/answer.ts'
import { findGuest, type Guest } from '../src/imds/facts.ts'
import { RoleCredentials } from '../src/imds/role-credentials.ts'
import { makeToken, secondsLeft, tokenSecondsMax } from '../src/imds/token.ts'
import type { Id } from '../src/lib/ids.ts'
import { sealerOf } from '../src/lib/seal.ts'
import { runsOf } from './random.ts'
import { putImage } from './rows.ts'
import { accountId, region, startSystem } from './system.ts'

const tokenKey = Buffer.alloc(32, 7)
const now = new Date('2026-11-23T10:00:00Z')
const ttlHeader = 'x-aws-ec2-metadata-token-ttl-seconds'

async function start(context: TestContext) {
  const { db, ec2 } = await startSystem(context, { isIdle: true })
  const { id: ImageId } = await putImage(db, { accountId, region }, { name: 'one' })
  const { Instances: [made] = [] } = await ec2.send(
    new RunInstancesCommand({
      ImageId,
      MinCount: 1,
      MaxCount: 1,
      InstanceType: 't3.nano',
      UserData: Buffer.from('#!/bin/sh').toString('base64'),
      MetadataOptions: { InstanceMetadataTags: 'enabled' },
      TagSpecifications: [
        {
          ResourceType: 'instance',
          Tags: ['__proto__', 'constructor', 'a=b', 'Name'].map((Key) => ({ Key, Value: 'x' })),
        },
      ],
    }),
  )
  const vpcId = made?.VpcId as Id<'vpc'>
  const guest = await findGuest(db.reads, vpcId, made?.PrivateIpAddress ?? '')
  assert(guest)
  const credentials = new RoleCredentials({ sealer: sealerOf(tokenKey, randomBytes), randomBytes })
  const tools = { db: db.reads, tokenKey, credentials, now }
  const ask = (method: string, path: string, headers: Record<string, string> = {}, of = guest) =>
    answerMetadata({ method, path, headers }, of, tools)
  return { guest, ask }
}

const secretOf = ({ instance, port }: Guest): Guest => ({
  port,
  instance: {
    ...instance,
    metadataOptions: { ...instance.metadataOptions, httpTokens: 'required' },
  },
})

const part = fc.oneof(
  fc.constantFrom('latest', '1.0', '2021-03-23', 'meta-data', 'user-data', 'dynamic', 'api'),
  fc.constantFrom('token', 'tags', 'instance', 'public-keys', '0', 'network', 'interfaces', 'macs'),
  fc.constantFrom('instance-identity', 'document', 'placement', 'block-device-mapping'),
  fc.constantFrom('', '.', '..', '%2e%2e', '%', '__proto__', 'constructor', 'toString', 'a=b', 'a'),
  fc.string({ maxLength: 8 }),
  fc.constant('x'.repeat(9000)),
)
const requestOf = fc.record({
  method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'get', ''),
  path: fc.oneof(
    fc.array(part, { maxLength: 8 }).map((parts) => `/${parts.join('/')}`),
    fc.constantFrom('/latest/api/token', '/latest/meta-data/', '/latest/user-data', '//latest//'),
  ),
  ttl: fc.option(
    fc.constantFrom(
      '21600',
      '1',
      '0',
      '-1',
      '1.5',
      '21601',
      'NaN',
      '',
      ' ',
      '0x10',
      '1e3',
      '9'.repeat(400),
    ),
    { nil: undefined },
  ),
  token: fc.option(fc.constantFrom('', ' ', 'AAAA', '====', '\u00ff', 'x'.repeat(5000)), {
    nil: undefined,
  }),
})

test('whatever a guest asks the metadata service, it is answered by one of its statuses', async (context) => {
  const { guest, ask } = await start(context)
  const secret = secretOf(guest)
  await fc.assert(
    fc.asyncProperty(requestOf, fc.boolean(), async ({ method, path, ttl, token }, isSecret) => {
      const reply = await ask(
        method,
        path,
        {
          ...(ttl !== undefined && { [ttlHeader]: ttl }),
          ...(token !== undefined && { 'x-aws-ec2-metadata-token': token }),
        },
        isSecret ? secret : guest,
      )
      assert([200, 400, 401, 403, 404, 405].includes(reply.status))
      if (reply.status !== 200) return
      assert(typeof reply.body === 'string' || reply.body instanceof Uint8Array)
      if (method === 'PUT') {
        assert.match(ttl ?? '', /^\d{1,5}$/, 'a time that is no whole number of seconds')
        assert(Number(ttl) >= 1 && Number(ttl) <= tokenSecondsMax)
      } else {
        assert(token === undefined && !isSecret, 'answered to one who has no token')
      }
    }),
    { numRuns: runsOf(1000) },
  )
  for (const name of ['__proto__', 'constructor', 'a=b', 'Name']) {
    const { body } = await ask('GET', `/latest/meta-data/tags/instance/${name}`)
    assert.equal(body, 'x', name)
  }
  const { status } = await ask('GET', '/latest/meta-data/tags/instance/toString')
  assert.equal(status, 404)
})

test('a token that was changed anywhere, or is of another instance, is none', () => {
  const seconds = fc.integer({ min: 1, max: tokenSecondsMax })
  fc.assert(
    fc.property(seconds, fc.nat(200), fc.nat(255), fc.nat(30_000), (lasts, at, byte, later) => {
      const token = makeToken(tokenKey, 'i-1', now, lasts)
      const then = new Date(now.getTime() + later * 1000)
      assert.equal(secondsLeft(tokenKey, 'i-1', then, token), Math.max(0, lasts - later))
      assert.equal(secondsLeft(tokenKey, 'i-2', now, token), 0)
      assert.equal(secondsLeft(Buffer.alloc(32), 'i-1', now, token), 0)
      const bytes = Buffer.from(token, 'base64url')
      const place = at % bytes.length
      if (bytes[place] === byte) return
      bytes[place] = byte
      assert.equal(secondsLeft(tokenKey, 'i-1', now, bytes.toString('base64url')), 0)
      assert.equal(
        secondsLeft(tokenKey, 'i-1', now, bytes.subarray(0, place).toString('base64url')),
        0,
      )
    }),
    { numRuns: runsOf(1000) },
  )
})
