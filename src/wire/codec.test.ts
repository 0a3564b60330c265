/**
 * The official SDK as the judge of the codec: what it sends must decode to what
 * it was given, and what is encoded must be what it reads, for every action.
 */
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import * as cloudtrailSdk from '@aws-sdk/client-cloudtrail'
import * as ebsSdk from '@aws-sdk/client-ebs'
import * as ec2Sdk from '@aws-sdk/client-ec2'
import * as iamSdk from '@aws-sdk/client-iam'
import * as kmsSdk from '@aws-sdk/client-kms'
import * as organizationsSdk from '@aws-sdk/client-organizations'
import * as ssmSdk from '@aws-sdk/client-ssm'
import * as stsSdk from '@aws-sdk/client-sts'
import fc from 'fast-check'
import { RbinClient, rbinCommands } from '../../test/rbin-sdk.ts'
import { ApiError } from '../lib/errors.ts'
import { addressee, loadServices, type Service, type ServiceName } from './codec.ts'
import { Model, type Member, type Shape, type Structure } from './model.ts'
import type { HttpRequest, HttpResponse } from './request.ts'
import type { Reply } from './service.ts'
import cloudtrailSchemas from './schemas/cloudtrail.json' with { type: 'json' }
import ebsSchemas from './schemas/ebs.json' with { type: 'json' }
import ec2Schemas from './schemas/ec2.json' with { type: 'json' }
import iamSchemas from './schemas/iam.json' with { type: 'json' }
import kmsSchemas from './schemas/kms.json' with { type: 'json' }
import organizationsSchemas from './schemas/organizations.json' with { type: 'json' }
import rbinSchemas from './schemas/rbin.json' with { type: 'json' }
import ssmSchemas from './schemas/ssm.json' with { type: 'json' }
import stsSchemas from './schemas/sts.json' with { type: 'json' }

const services = loadServices()
const runsPerAction = 2

interface Side {
  readonly service: Service
  readonly model: Model
  readonly sdk: Record<string, unknown>
  readonly client: string
}

const sides: Record<ServiceName, Side> = {
  ec2: {
    service: services.ec2,
    model: new Model(ec2Schemas),
    sdk: { ...ec2Sdk },
    client: 'EC2Client',
  },
  sts: {
    service: services.sts,
    model: new Model(stsSchemas),
    sdk: { ...stsSdk },
    client: 'STSClient',
  },
  iam: {
    service: services.iam,
    model: new Model(iamSchemas),
    sdk: { ...iamSdk },
    client: 'IAMClient',
  },
  ssm: {
    service: services.ssm,
    model: new Model(ssmSchemas),
    sdk: { ...ssmSdk },
    client: 'SSMClient',
  },
  organizations: {
    service: services.organizations,
    model: new Model(organizationsSchemas),
    sdk: { ...organizationsSdk },
    client: 'OrganizationsClient',
  },
  kms: {
    service: services.kms,
    model: new Model(kmsSchemas),
    sdk: { ...kmsSdk },
    client: 'KMSClient',
  },
  rbin: {
    service: services.rbin,
    model: new Model(rbinSchemas),
    sdk: { ...rbinCommands, RbinClient },
    client: 'RbinClient',
  },
  ebs: {
    service: services.ebs,
    model: new Model(ebsSchemas),
    sdk: { ...ebsSdk },
    client: 'EBSClient',
  },
  cloudtrail: {
    service: services.cloudtrail,
    model: new Model(cloudtrailSchemas),
    sdk: { ...cloudtrailSdk },
    client: 'CloudTrailClient',
  },
}

interface SdkClient {
  send(command: object): Promise<Record<string, unknown>>
}

/** A client of the SDK whose requests go to `answer`, and not over any wire. */
function clientOf(
  { sdk, client }: Side,
  answer: (request: HttpRequest) => HttpResponse,
): SdkClient {
  const Client = sdk[client] as new (config: object) => SdkClient
  return new Client({
    region: 'eu-central-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    maxAttempts: 1,
    requestHandler: {
      handle: (request: SdkRequest) => {
        const { status, headers, body } = answer(received(request))
        const response = { statusCode: status, headers, body: streamOf(body), reason: '' }
        return Promise.resolve({ response })
      },
    },
  })
}

/** As Node gives what comes over the wire. */
const streamOf = (body: string | Uint8Array): Readable => Readable.from([Buffer.from(body)])

function command({ sdk }: Side, action: string, input: object): object {
  const Command = sdk[`${action}Command`] as new (input: object) => object
  return new Command(input)
}

interface SdkRequest {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string | string[]>>
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | undefined
}

/** A request of the SDK as it would be on the wire. */
function received({ method, path, query, headers, body = '' }: SdkRequest): HttpRequest {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map((one) => `${encodeURIComponent(name)}=${encodeURIComponent(one)}`),
  )
  return {
    method,
    target: path + (pairs.length > 0 ? `?${pairs.join('&')}` : ''),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
    ),
    body: typeof body === 'string' ? Buffer.from(body) : new Uint8Array(body),
  }
}

const nothing: HttpRequest = { method: '', target: '', headers: {}, body: Buffer.alloc(0) }

const anyDate = fc.date({
  min: new Date('1970-01-01T00:00:00.000Z'),
  max: new Date('2999-01-01T00:00:00.000Z'),
  noInvalidDate: true,
})
const anyScalar = {
  boolean: fc.boolean(),
  integer: fc.integer(),
  decimal: fc.integer({ min: -1000, max: 1000 }).map((number) => number / 8),
  timestamp: anyDate,
  blob: fc.uint8Array({ minLength: 1, maxLength: 9 }),
}

/** Values of a shape such as the SDK may be given, with no more than `depth` structures in each other. */
function anyValue(
  model: Model,
  shape: Shape,
  member: Member,
  depth: number,
): fc.Arbitrary<unknown> {
  if (shape.kind === 'structure') return anyStructure(model, model.structure(shape.name), depth - 1)
  if (shape.kind === 'list') {
    const item = anyValue(model, shape.item, { ...member, isMeantWhenEmpty: true }, depth)
    return fc.array(item, { minLength: 1, maxLength: 3 })
  }
  if (shape.kind === 'map')
    return fc.dictionary(
      fc
        .string({ unit: 'grapheme', minLength: 1, maxLength: 9 })
        .filter((key) => key !== '__proto__'),
      anyValue(model, shape.value, member, depth),
      { minKeys: 1, maxKeys: 3, noNullPrototype: true },
    )
  if (shape.kind !== 'string') return anyScalar[shape.kind]
  // What else there is in Unicode cannot be told in a header.
  if (member.location === 'header') return fc.stringMatching(/^[\x21-\x7e]{1,9}$/)
  return fc.string({ unit: 'grapheme', minLength: member.isMeantWhenEmpty ? 0 : 1, maxLength: 9 })
}

function anyStructure(model: Model, structure: Structure, depth: number): fc.Arbitrary<object> {
  const members = structure.members.filter(
    ({ isRequired, shape }) => isRequired || depth > 0 || !holdsStructures(shape),
  )
  const values = Object.fromEntries(
    members.map((member) => [member.name, anyValue(model, member.shape, member, depth)]),
  )
  // A body is always there, be it an empty one.
  const always = members.filter(
    (member) => member.isRequired || member.isIdempotencyToken || member.location === 'payload',
  )
  return fc
    .record(values, { requiredKeys: always.map(({ name }) => name), noNullPrototype: true })
    .filter((value) => Object.keys(value).length > 0 || members.length === 0)
}

const holdsStructures = (shape: Shape): boolean =>
  shape.kind === 'structure' ||
  (shape.kind === 'list' && holdsStructures(shape.item)) ||
  (shape.kind === 'map' && holdsStructures(shape.value))

/** Structures and lists without anything in them cannot be told in a form. */
function withoutEmpty(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date || value instanceof Uint8Array) return value
  if (Array.isArray(value)) {
    const items = value.map(withoutEmpty).filter((item) => item !== undefined)
    return items.length === 0 ? undefined : items
  }
  const entries = Object.entries(value)
    .map(([name, member]) => [name, withoutEmpty(member)] as const)
    .filter(([, member]) => member !== undefined)
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

for (const side of Object.values(sides)) {
  const { service, model } = side
  const isQuery = model.protocol.endsWith('Query')

  test(`what the SDK sends is what we read, for every action of ${service.name}`, async () => {
    let sent = nothing
    const client = clientOf(side, (request) => {
      sent = request
      return { status: 200, headers: {}, body: '' }
    })
    for (const action of service.actions) {
      const structure = model.input(action)
      if (!structure) continue
      // Without it, the SDK asks other Regions for a presigned address.
      const more = action === 'CopySnapshot' ? { PresignedUrl: 'http://example.com' } : {}
      await fc.assert(
        fc.asyncProperty(anyStructure(model, structure, 3), async (anyInput) => {
          const input = { ...anyInput, ...more }
          await client.send(command(side, action, input)).catch(() => {})
          if (sent.headers['authorization']) assert.equal(addressee(sent), service.name)
          const asked = service.read(sent)
          assert.equal(asked.action, action)
          const expected = isQuery ? (withoutEmpty(input) ?? {}) : input
          assert.deepEqual(asked.decode(), expected)
        }),
        { numRuns: runsPerAction },
      )
    }
  })

  test(`what we answer is what the SDK reads, for every action of ${service.name}`, async () => {
    let reply: Reply = ''
    let answering = ''
    const client = clientOf(side, () => service.respond(answering, 'r-1', reply))
    for (const action of service.actions) {
      const structure = model.output(action)
      if (!structure) continue
      const more = action === 'CopySnapshot' ? { PresignedUrl: 'http://example.com' } : {}
      await fc.assert(
        fc.asyncProperty(anyStructure(model, structure, 3), async (output) => {
          reply = service.encode(action, 'r-1', output)
          answering = action
          const labels = (model.input(action)?.members ?? [])
            .filter(({ location }) => location === 'label')
            .map(({ name }) => [name, 'x'] as const)
          const input = { ...more, ...Object.fromEntries(labels), BlockIndex: 1 }
          const { $metadata, ...read } = await client.send(command(side, action, input))
          const { httpStatusCode, requestId } = $metadata as Record<string, unknown>
          assert([200, 201, 202].includes(Number(httpStatusCode)))
          assert.equal(requestId, 'r-1')
          for (const [name, value] of Object.entries(read)) read[name] = await collected(value)
          assert.deepEqual(read, output)
        }),
        { numRuns: runsPerAction },
      )
    }
  })
}

/** What the SDK gives as a stream, read to its end. */
async function collected(value: unknown): Promise<unknown> {
  const isStream = typeof value === 'object' && value !== null && 'transformToByteArray' in value
  if (!isStream) return value
  return new Uint8Array(await (value.transformToByteArray as () => Promise<Uint8Array>)())
}

const anAction: Record<ServiceName, string> = {
  ec2: 'DescribeImages',
  sts: 'GetCallerIdentity',
  iam: 'ListUsers',
  ssm: 'DescribeParameters',
  organizations: 'ListAccounts',
  kms: 'ListKeys',
  rbin: 'ListRules',
  ebs: 'ListSnapshotBlocks',
  cloudtrail: 'LookupEvents',
}

test('an error is what the SDK throws', async () => {
  const message = `no <such> "thing" & more`
  for (const side of Object.values(sides)) {
    const { name } = side.service
    const refused = new ApiError('InvalidParameterValue', message)
    const client = clientOf(side, () => side.service.refuse('r-1', refused))
    const isQuery = side.model.protocol.endsWith('Query')
    await assert.rejects(
      client.send(command(side, anAction[name], { SnapshotId: 'x' })),
      (error: Error) => {
        const word = isQuery ? 'ValidationError' : 'ValidationException'
        assert.equal(error.name, name === 'ec2' ? 'InvalidParameterValue' : word)
        assert.equal(error.message, message)
        return true
      },
    )
  }
})

test('a copy of a snapshot is read with what the SDK adds to it', async () => {
  let sent = nothing
  const client = clientOf(sides.ec2, (request) => {
    sent = request
    return { status: 200, headers: {}, body: '' }
  })
  const input = { SourceRegion: 'eu-central-1', SourceSnapshotId: 'snap-1' }
  await client.send(command(sides.ec2, 'CopySnapshot', input))
  const { PresignedUrl, ...rest } = services.ec2.read(sent).decode()
  assert.equal(typeof PresignedUrl, 'string')
  assert.deepEqual(rest, { ...input, DestinationRegion: 'eu-central-1' })
})
