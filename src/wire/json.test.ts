/** What the services that speak JSON read, refuse and say, beyond what the SDK would ever send. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ApiError } from '../lib/errors.ts'
import { addressee, loadService } from './codec.ts'
import type { HttpRequest } from './request.ts'

const ssm = loadService('ssm')
const rbin = loadService('rbin')
const organizations = loadService('organizations')

const request = (changes: Partial<HttpRequest> & { json?: unknown }): HttpRequest => ({
  method: 'POST',
  target: '/',
  headers: {},
  body: changes.json === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(changes.json)),
  ...changes,
})

const ofSsm = (action: string, json?: unknown) =>
  request({ json, headers: { 'x-amz-target': `AmazonSSM.${action}` } })

const decode = (action: string, json?: unknown) => ssm.read(ofSsm(action, json)).decode()

test('the target says which action is meant, and an unknown one is refused', () => {
  assert.equal(ssm.read(ofSsm('GetParameter')).action, 'GetParameter')
  const unknown = { code: 'UnknownOperationException' }
  assert.throws(() => decode('Nope'), unknown)
  assert.throws(() => decode('toString'), unknown)
  assert.throws(() => ssm.read(request({})).decode(), unknown)
  assert.throws(() => ssm.read({ ...ofSsm('GetParameter'), method: 'GET' }).decode(), unknown)
  assert.throws(() => organizations.read(ofSsm('GetParameter')).decode(), unknown)
})

test('all that is missing is named at once', () => {
  assert.throws(() => decode('GetParameter', {}), {
    code: 'ValidationException',
    message:
      "1 validation error detected: Value null at 'name' failed to satisfy constraint: " +
      'Member must not be null',
  })
  assert.throws(() => decode('PutParameter'), {
    code: 'ValidationException',
    message: /^2 validation errors detected: Value null at 'name' .*; Value null at 'value' /,
  })
  const Tags = [{ Key: 'a', Value: 'b' }, { Key: 'c' }]
  assert.throws(() => decode('PutParameter', { Name: 'a', Value: 'b', Tags }), {
    message: /Value null at 'tags\.2\.member\.value'/,
  })
})

test('a value of another type is refused, and what is not known is left out', () => {
  const refused = { code: 'SerializationException' }
  assert.throws(() => decode('GetParameter', { Name: 1 }), refused)
  assert.throws(() => decode('GetParameter', { Name: ['a'] }), refused)
  assert.throws(() => decode('GetParameters', { Names: 'a' }), refused)
  assert.throws(() => decode('DescribeParameters', { MaxResults: 1.5 }), refused)
  assert.throws(() => decode('DescribeParameters', { MaxResults: '5' }), refused)
  assert.throws(() => decode('GetParameter', { Name: 'a', WithDecryption: 'true' }), refused)
  assert.throws(() => decode('GetParameter', []), refused)
  assert.throws(() => decode('GetParameters', { Names: Array(1001).fill('a') }), refused)
  const body = Buffer.from('{"Name":')
  assert.throws(() => ssm.read({ ...ofSsm('GetParameter'), body }).decode(), refused)
  assert.deepEqual(decode('GetParameter', { Name: 'a', Newer: 1, WithDecryption: null }), {
    Name: 'a',
  })
})

test('structures that hold themselves end somewhere', () => {
  const depth = 10_000
  const text = '{"Aggregators":[{"Aggregators":['.repeat(depth) + ']}]}'.repeat(depth)
  const body = Buffer.from(text)
  assert.throws(() => ssm.read({ ...ofSsm('GetInventory'), body }).decode(), {
    code: 'SerializationException',
  })
})

test('the path says which action of the Recycle Bin is meant', () => {
  const read = (method: string, target: string, json?: unknown) =>
    rbin.read(request({ method, target, json }))
  assert.deepEqual(read('GET', '/rules/abc').decode(), { Identifier: 'abc' })
  assert.equal(read('PATCH', '/rules/abc/lock').action, 'LockRule')
  assert.deepEqual(read('DELETE', '/tags/arn%3Aa%2Fb+c?tagKeys=x&tagKeys=y%20z').decode(), {
    ResourceArn: 'arn:a/b+c',
    TagKeys: ['x', 'y z'],
  })
  for (const [method, target] of [
    ['GET', '/'],
    ['PUT', '/rules/abc'],
    ['GET', '/rules/'],
    ['GET', '/rules/a/b/c'],
  ] as const) {
    assert.throws(() => read(method, target).decode(), { code: 'UnknownOperationException' })
  }
  assert.throws(() => read('GET', '/rules/%ff').decode(), { code: 'SerializationException' })
  // What belongs into the path is not taken from the body.
  assert.throws(() => read('PATCH', '/rules/abc/lock', { Identifier: 'other' }).decode(), {
    code: 'ValidationException',
    message: /lockConfiguration/,
  })
})

test('a refusal is in the words of the service', () => {
  const error = new ApiError('SignatureDoesNotMatch', 'no')
  const said = ssm.refuse('r-1', error)
  assert.equal(said.status, 400)
  assert.equal(said.headers['content-type'], 'application/x-amz-json-1.1')
  assert.deepEqual(JSON.parse(String(said.body)), {
    __type: 'InvalidSignatureException',
    message: 'no',
  })

  const internal = organizations.refuse('r-1', new ApiError('InternalError', 'x'))
  assert.equal(internal.status, 500)
  assert.equal((JSON.parse(String(internal.body)) as { __type: string }).__type, 'ServiceException')

  const conflict = new ApiError('ConflictException', 'locked', { reason: 'INVALID_RULE_STATE' })
  const refused = rbin.refuse('r-1', conflict)
  assert.equal(refused.status, 409)
  assert.equal(refused.headers['x-amzn-errortype'], 'ConflictException')
  assert.deepEqual(JSON.parse(String(refused.body)), {
    Message: 'locked',
    Reason: 'INVALID_RULE_STATE',
  })
  assert.equal(rbin.refuse('r-1', new ApiError('UnknownOperationException', 'x')).status, 404)
})

test('whom a request is meant for is seen before anything of it is believed', () => {
  const authorization = (service: string) =>
    `AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host`
  const to = (headers: Record<string, string>) => addressee({ headers })
  assert.equal(to({ authorization: authorization('rbin') }), 'rbin')
  assert.equal(to({ authorization: authorization('s3') }), 'ec2')
  assert.equal(to({ authorization: authorization('toString') }), 'ec2')
  assert.equal(to({ 'x-amz-target': 'AWSOrganizationsV20161128.ListRoots' }), 'organizations')
  assert.equal(to({ authorization: 'nonsense', 'x-amz-target': '' }), 'ec2')
})

test('whatever the body is, it is decoded or refused, and nothing breaks', () => {
  const key = fc.oneof(
    fc.constantFrom('Name', 'Names', 'Tags', 'Key', 'Values', 'ParameterFilters', 'Overwrite'),
    fc.constantFrom('__proto__', 'constructor', 'Filters', 'MaxResults', 'Targets', 'Parameters'),
  )
  const { any } = fc.letrec((tie) => ({
    any: fc.oneof({ depthSize: 'small' }, tie('leaf'), tie('list'), tie('record')),
    leaf: fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null)),
    list: fc.array(tie('any'), { maxLength: 4 }),
    record: fc.dictionary(key, tie('any'), { maxKeys: 4 }),
  }))
  const action = fc.constantFrom(
    'PutParameter',
    'DescribeParameters',
    'SendCommand',
    'GetInventory',
  )
  fc.assert(
    fc.property(action, any, (name, value) => {
      try {
        assert.equal(Object.getPrototypeOf(decode(name, value)), Object.prototype)
      } catch (error) {
        assert(error instanceof ApiError, String(error))
      }
    }),
    { numRuns: 1000 },
  )
  assert(!('x' in {}))
})
