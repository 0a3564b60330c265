/**
 * Requests that nobody's client makes: what was right in form, changed anywhere and
 * signed again, and signatures that are none. The answer is a refusal or a success,
 * never a failure of the service, and it comes.
 */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test, type TestContext } from 'node:test'
import * as ec2 from '@aws-sdk/client-ec2'
import fc from 'fast-check'
import type { databases } from './databases.ts'
import { others, type OtherService } from './other-services.ts'
import { startSystem, type TestSystem } from './system.ts'

const nasty = fc.constantFrom(
  '',
  ' ',
  '\0',
  'a\0b',
  '-1',
  '0',
  '2147483648',
  '9007199254740993',
  '99999999999999999999999999',
  '1e400',
  'NaN',
  'true',
  'null',
  '__proto__',
  'constructor',
  'toString',
  '\u{1f600}',
  '\ufffe',
  '%',
  "'; DROP TABLE images; --",
  '*a'.repeat(2000),
  'x'.repeat(70_000),
  '2026-13-45T99:99:99Z',
  '+275760-09-13T00:00:00.000Z',
  '-271821-04-20T00:00:00Z',
  'ami-',
  'ami-0000000000000000\n',
  'resolve:ssm:',
  'arn:aws:ec2:::',
  '0.0.0.0/99',
  '!',
)
const suffix = fc.constantFrom('', '.1', '.0', '.-1', '.99999999', '.1.1.1', '.Name', '..', '.a')

/** One change of a form or a JSON body: each is drawn by numbers, so that a failure shrinks. */
const changeOf = fc.oneof(
  fc.record({ do: fc.constant('value' as const), at: fc.nat(1000), nasty }),
  fc.record({ do: fc.constant('name' as const), at: fc.nat(1000), nasty, suffix }),
  fc.record({ do: fc.constant('drop' as const), at: fc.nat(1000) }),
  fc.record({ do: fc.constant('byte' as const), at: fc.nat(100_000), byte: fc.nat(255) }),
  fc.record({ do: fc.constant('cut' as const), at: fc.nat(100_000) }),
  fc.record({
    do: fc.constant('nest' as const),
    at: fc.nat(1000),
    open: fc.constantFrom('[', '{"a":'),
  }),
)
type Change = typeof changeOf extends fc.Arbitrary<infer T> ? T : never
const changesOf = fc.array(changeOf, { minLength: 1, maxLength: 3 })

function changed(body: Buffer, change: Change): Buffer {
  if (change.do === 'byte' || change.do === 'cut') {
    const at = change.at % Math.max(1, body.length)
    if (change.do === 'cut') return body.subarray(0, at)
    const copy = Buffer.from(body)
    if (copy.length > 0) copy[at] = change.byte
    return copy
  }
  const text = body.toString()
  return Buffer.from(text.startsWith('{') ? changedJson(text, change) : changedForm(text, change))
}

type Structured = Exclude<Change, { do: 'byte' | 'cut' }>

function changedForm(text: string, change: Structured): string {
  const pairs = text.split('&').map((pair) => pair.split('=', 2))
  const pair = pairs[change.at % pairs.length]
  if (!pair) return text
  if (change.do === 'drop') pairs.splice(change.at % pairs.length, 1)
  if (change.do === 'value') pair[1] = encodeURIComponent(change.nasty)
  if (change.do === 'name') pair[0] += encodeURIComponent(change.nasty.slice(0, 20)) + change.suffix
  if (change.do === 'nest') pair[0] += '.1'.repeat(5000)
  return pairs.map((one) => one.join('=')).join('&')
}

/** Strings, numbers and names in the text of the JSON, wherever they stand. */
function changedJson(text: string, change: Structured): string {
  const parts = text.split(/("(?:[^"\\]|\\.)*"|-?\d[\d.]*|true|false)/)
  const at = ((change.at * 2 + 1) % Math.max(1, parts.length - 1)) | 1
  if (change.do === 'drop') parts.splice(at, 1)
  else if (change.do === 'nest') parts[at] = change.open.repeat(20_000)
  else parts[at] = change.at % 10 === 0 ? change.nasty : JSON.stringify(change.nasty)
  return parts.join('')
}

const ImageId = 'ami-0123456789abcdef0'
const ec2Samples = {
  AuthorizeSecurityGroupIngress: {
    GroupId: 'sg-0123456789abcdef0',
    IpPermissions: [{ IpProtocol: 'tcp', FromPort: 22, IpRanges: [{ CidrIp: '0.0.0.0/0' }] }],
  },
  CopyImage: { SourceRegion: 'us-west-2', SourceImageId: ImageId, Name: 'an image' },
  CreateTags: { Resources: [ImageId], Tags: [{ Key: 'a', Value: 'b' }] },
  CreateVolume: {
    AvailabilityZone: 'us-east-1a',
    Size: 1,
    TagSpecifications: [{ ResourceType: 'volume', Tags: [{ Key: 'a', Value: 'b' }] }],
    ClientToken: 'a token',
  },
  DescribeImages: {
    Filters: [
      { Name: 'name', Values: ['a*'] },
      { Name: 'tag:a', Values: ['b'] },
      { Name: 'owner-id', Values: ['123456789012'] },
      { Name: 'image-id', Values: [ImageId] },
    ],
    Owners: ['self'],
    ExecutableUsers: ['all'],
    MaxResults: 5,
    NextToken: Buffer.from(JSON.stringify({ v: 1, after: ImageId })).toString('base64url'),
  },
  DescribeInstances: {
    Filters: [{ Name: 'instance-state-name', Values: ['running'] }],
    MaxResults: 5,
  },
  DescribeSnapshots: { OwnerIds: ['self'], Filters: [{ Name: 'volume-size', Values: ['1'] }] },
  EnableImageDeprecation: { ImageId, DeprecateAt: new Date('2027-01-01') },
  ImportKeyPair: { KeyName: 'a key', PublicKeyMaterial: Buffer.from('ssh-ed25519 AAAA') },
  ModifyImageAttribute: { ImageId, LaunchPermission: { Add: [{ UserId: '222222222222' }] } },
  RegisterImage: {
    Name: 'an image',
    Architecture: 'x86_64',
    VirtualizationType: 'hvm',
    RootDeviceName: '/dev/xvda',
    BlockDeviceMappings: [
      { DeviceName: '/dev/xvda', Ebs: { SnapshotId: 'snap-0123456789abcdef0', VolumeSize: 8 } },
    ],
  },
  ReplaceImageCriteriaInAllowedImagesSettings: {
    ImageCriteria: [{ ImageNames: ['a*'], CreationDateCondition: { MaximumDaysSinceCreated: 3 } }],
  },
  RunInstances: {
    ImageId,
    MinCount: 1,
    MaxCount: 1,
    InstanceType: 't3.nano',
    UserData: 'AAAA',
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 8 } }],
  },
} satisfies Record<string, object>

interface Sdk {
  readonly commands: Readonly<Record<string, unknown>>
  readonly samples: Readonly<Record<string, object>>
  readonly make: (settings: ReturnType<TestSystem['settingsWith']>) => unknown
}
const sdks: Record<'ec2' | OtherService, Sdk> = {
  ...others,
  ec2: {
    commands: { ...ec2 },
    samples: ec2Samples,
    make: (settings) => new ec2.EC2Client(settings),
  },
}

/** Sends a call with its body (or, where it has none, its path) changed before it is signed. */
async function send(system: TestSystem, sdk: Sdk, action: string, changes: readonly Change[]) {
  const client = sdk.make(system.settingsWith()) as ec2.EC2Client
  const Command = sdk.commands[`${action}Command`] as new (
    input: object,
  ) => ec2.DescribeImagesCommand
  let status = 0
  client.middlewareStack.add(
    (next) => async (args) => {
      const sent = args.request as { body?: unknown; path: string; headers: Record<string, string> }
      const body = Buffer.from((sent.body as string | Uint8Array | undefined) ?? '')
      if (body.length > 0) {
        sent.body = changes.reduce(changed, body)
        sent.headers['content-length'] = String((sent.body as Buffer).length)
      } else {
        const [change] = changes
        const text = change && 'nasty' in change ? change.nasty.slice(0, 500) : 'x'
        sent.path = `${sent.path.slice(0, (change?.at ?? 0) % sent.path.length)}/${encodeURIComponent(text)}`
      }
      return await next(args)
    },
    { step: 'build', priority: 'low' },
  )
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      status = (result.response as { statusCode: number }).statusCode
      return result
    },
    { step: 'deserialize', priority: 'low' },
  )
  try {
    await client.send(new Command(sdk.samples[action] ?? {}))
  } catch (error) {
    if (status === 0) throw error
  } finally {
    client.destroy()
  }
  return status
}

const known: Change = { do: 'value', at: 511, nasty: '\0' }

async function fuzzBodies(context: TestContext, database: keyof typeof databases, runs: number) {
  const system = await startSystem(context, { database, isIdle: true })
  const calls = Object.entries(sdks).flatMap(([service, { samples }]) =>
    Object.keys(samples).map((action) => ({ service: service as OtherService | 'ec2', action })),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.constantFrom(...calls),
        fc.constantFrom(...calls.filter(({ service }) => service === 'ec2')),
      ),
      changesOf,
      async ({ service, action }, changes) => {
        const status = await send(system, sdks[service], action, changes)
        assert(status >= 200 && status < 500, `${service} ${action}: ${status}`)
      },
    ),
    // Found once: PostgreSQL takes no text with a NUL.
    { numRuns: runs, examples: [[{ service: 'ssm', action: 'GetParameter' }, [known]]] },
  )
}

test('no body makes the service fail', (context) => fuzzBodies(context, 'sqlite', 400))

test('no body makes the service fail on PostgreSQL', (context) =>
  fuzzBodies(context, 'postgres', 300))

test('no header and no query makes the service fail', async (context) => {
  const system = await startSystem(context, { isIdle: true })
  const { hostname, port } = new URL(system.endpoint)
  const scope = '20261123/us-east-1/ec2/aws4_request'
  const signed = {
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `AKIDEXAMPLE/${scope}`,
    'X-Amz-Date': '20261123T101530Z',
    'X-Amz-Expires': '60',
    'X-Amz-SignedHeaders': 'host;x-amz-date',
    'X-Amz-Signature': 'a'.repeat(64),
  }
  const authorization =
    `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${scope}, ` +
    `SignedHeaders=host;x-amz-date, Signature=${'a'.repeat(64)}`
  const sendRaw = async (path: string, headers: Record<string, string>, body: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    const sent = request({ hostname, port, path, method: 'POST', headers, agent: false })
    sent.on('response', (response) =>
      response.resume().on('end', () => resolve(response.statusCode ?? 0)),
    )
    sent.on('error', reject)
    sent.end(body)
    return await promise
  }
  const printable = (text: string) => text.replace(/[^\x20-\x7e\xa1-\xff]/g, '?').slice(0, 5000)
  const changedText = (text: string, at: number, with_: string) => {
    const place = at % text.length
    return printable(`${text.slice(0, place)}${with_}${text.slice(place + 1 + (at % 7))}`)
  }
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.array(fc.record({ at: fc.nat(10_000), nasty }), { minLength: 1, maxLength: 3 }),
      fc.constantFrom('ec2', 'AmazonSSM.PutParameter', 'AWSOrganizationsV20161128.x', ''),
      async (isPresigned, edits, target) => {
        const change = (text: string) =>
          edits.reduce((now, edit) => changedText(now || ' ', edit.at, edit.nasty), text)
        const query = Object.entries(signed).map((pair) => pair.map(encodeURIComponent).join('='))
        const status = await sendRaw(
          isPresigned ? `/?${change(query.join('&')).replace(/[ #]/g, '')}` : '/',
          {
            'x-amz-date': printable(edits[0]?.nasty || signed['X-Amz-Date']),
            'content-type': 'application/x-www-form-urlencoded',
            ...(target && { 'x-amz-target': target }),
            ...(isPresigned ? {} : { authorization: change(authorization) }),
          },
          'Action=DescribeImages&Version=2016-11-15',
        )
        assert(status >= 400 && status < 500, `${status}`)
      },
    ),
    { numRuns: 300 },
  )
})
