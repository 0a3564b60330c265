/**
 * The official SDK as the judge of the codec: what it sends must decode to what
 * it was given, and what is encoded must be what it reads, for every action.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as ec2Sdk from '@aws-sdk/client-ec2'
import * as stsSdk from '@aws-sdk/client-sts'
import fc from 'fast-check'
import { loadService, type Service, type ServiceName } from './codec.ts'
import { Model, type Member, type Shape, type Structure } from './model.ts'
import { parseParams, type Params } from './params.ts'
import ec2Schemas from './schemas/ec2.json' with { type: 'json' }
import stsSchemas from './schemas/sts.json' with { type: 'json' }

const ec2 = loadService('ec2')
const sts = loadService('sts')
const runsPerAction = 2

interface Side {
  readonly service: Service
  readonly model: Model
  readonly sdk: Record<string, unknown>
  readonly client: string
}

const sides: Record<ServiceName, Side> = {
  ec2: { service: ec2, model: new Model(ec2Schemas), sdk: { ...ec2Sdk }, client: 'EC2Client' },
  sts: { service: sts, model: new Model(stsSchemas), sdk: { ...stsSdk }, client: 'STSClient' },
}

interface SdkClient {
  send(command: object): Promise<Record<string, unknown>>
}

interface Reply {
  readonly statusCode: number
  readonly body: string
}

/** A client of the SDK whose requests go to `answer`, and not over any wire. */
function clientOf({ sdk, client }: Side, answer: (body: string) => Reply): SdkClient {
  const Client = sdk[client] as new (config: object) => SdkClient
  return new Client({
    region: 'eu-central-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    maxAttempts: 1,
    requestHandler: {
      handle: (request: { body: string }) => {
        const { statusCode, body } = answer(request.body)
        const bytes = new TextEncoder().encode(body)
        return Promise.resolve({ response: { statusCode, headers: {}, body: bytes, reason: '' } })
      },
    },
  })
}

function command({ sdk }: Side, action: string, input: object): object {
  const Command = sdk[`${action}Command`] as new (input: object) => object
  return new Command(input)
}

const paramsOf = (body: string): Params =>
  parseParams({ method: 'POST', target: '/', headers: {}, body: Buffer.from(body) })

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
  if (shape.kind === 'list')
    return fc.array(anyValue(model, shape.item, member, depth), { minLength: 1, maxLength: 3 })
  if (shape.kind !== 'string') return anyScalar[shape.kind]
  return fc.string({ unit: 'grapheme', minLength: member.isMeantWhenEmpty ? 0 : 1, maxLength: 9 })
}

function anyStructure(model: Model, structure: Structure, depth: number): fc.Arbitrary<object> {
  const members = structure.members.filter(
    ({ isRequired, shape }) => isRequired || depth > 0 || !holdsStructures(shape),
  )
  const values = Object.fromEntries(
    members.map((member) => [member.name, anyValue(model, member.shape, member, depth)]),
  )
  const always = members.filter((member) => member.isRequired || member.isIdempotencyToken)
  return fc
    .record(values, { requiredKeys: always.map(({ name }) => name), noNullPrototype: true })
    .filter((value) => Object.keys(value).length > 0 || members.length === 0)
}

const holdsStructures = (shape: Shape): boolean =>
  shape.kind === 'structure' || (shape.kind === 'list' && holdsStructures(shape.item))

/** Structures and lists without anything in them cannot be told on the wire. */
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

  test(`what the SDK sends is what we read, for every action of ${service.name}`, async () => {
    let sent = ''
    const client = clientOf(side, (body) => {
      sent = body
      return { statusCode: 200, body: '' }
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
          const received = paramsOf(sent)
          assert.equal(service.actionOf(received), action)
          assert.deepEqual(service.decode(action, received), withoutEmpty(input) ?? {})
        }),
        { numRuns: runsPerAction },
      )
    }
  })

  test(`what we answer is what the SDK reads, for every action of ${service.name}`, async () => {
    let reply = ''
    const client = clientOf(side, () => ({ statusCode: 200, body: reply }))
    for (const action of service.actions) {
      const structure = model.output(action)
      if (!structure) continue
      const more = action === 'CopySnapshot' ? { PresignedUrl: 'http://example.com' } : {}
      await fc.assert(
        fc.asyncProperty(anyStructure(model, structure, 3), async (output) => {
          reply = service.encode(action, 'r-1', output)
          const { $metadata, ...read } = await client.send(command(side, action, more))
          assert.equal(($metadata as { httpStatusCode: number }).httpStatusCode, 200)
          assert.deepEqual(read, output)
        }),
        { numRuns: runsPerAction },
      )
    }
  })
}

test('an error is what the SDK throws', async () => {
  const message = `no <such> "thing" & more`
  for (const side of Object.values(sides)) {
    const body = side.service.encodeError('r-1', 'InvalidParameterValue', message)
    const client = clientOf(side, () => ({ statusCode: 400, body }))
    const action = side.service.name === 'ec2' ? 'DescribeImages' : 'GetCallerIdentity'
    await assert.rejects(client.send(command(side, action, {})), (error: Error) => {
      assert.equal(error.name, 'InvalidParameterValue')
      assert.equal(error.message, message)
      return true
    })
  }
})

test('a copy of a snapshot is read with what the SDK adds to it', async () => {
  let sent = ''
  const client = clientOf(sides.ec2, (body) => {
    sent = body
    return { statusCode: 200, body: '' }
  })
  const input = { SourceRegion: 'eu-central-1', SourceSnapshotId: 'snap-1' }
  await client.send(command(sides.ec2, 'CopySnapshot', input))
  const { PresignedUrl, ...rest } = ec2.decode('CopySnapshot', paramsOf(sent))
  assert.equal(typeof PresignedUrl, 'string')
  assert.deepEqual(rest, { ...input, DestinationRegion: 'eu-central-1' })
})
