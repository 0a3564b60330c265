import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ApiError } from '../lib/errors.ts'
import { loadService } from './codec.ts'
import { decodeInput } from './decode.ts'
import { Model } from './model.ts'
import { parseParams } from './params.ts'
import ec2Schemas from './schemas/ec2.json' with { type: 'json' }
import stsSchemas from './schemas/sts.json' with { type: 'json' }

const ec2 = loadService('ec2')
const ec2Model = new Model(ec2Schemas)
const stsModel = new Model(stsSchemas)

const decode = (action: string, params: Record<string, string>) =>
  decodeInput(ec2Model, action, new Map(Object.entries(params)))

const refusal = (code: string, message: string) => ({
  name: `ApiError [${code}]`,
  code,
  message,
})

test('an empty value is no value', () => {
  const input = decode('RunInstances', {
    MinCount: '1',
    MaxCount: '1',
    SubnetId: '',
    SecurityGroupId: '',
    'Placement.Tenancy': '',
    Monitoring: '',
    'BlockDeviceMapping.1.Ebs.KmsKeyId': '',
  })
  assert.deepEqual(input, { MinCount: 1, MaxCount: 1 })
})

test('an empty value is kept where it says something', () => {
  assert.deepEqual(decode('DescribeImages', { 'ImageId.1': '', 'Owner.1': 'self' }), {
    ImageIds: [''],
    Owners: ['self'],
  })
  assert.deepEqual(decode('DescribeTags', { 'Filter.1.Name': 'value', 'Filter.1.Value.1': '' }), {
    Filters: [{ Name: 'value', Values: [''] }],
  })
  const tags = { 'ResourceId.1': 'ami-1', 'Tag.1.Key': 'k', 'Tag.1.Value': '' }
  assert.deepEqual(decode('DeleteTags', tags), {
    Resources: ['ami-1'],
    Tags: [{ Key: 'k', Value: '' }],
  })
  assert.deepEqual(decode('ModifyInstanceAttribute', { InstanceId: 'i-1', 'UserData.Value': '' }), {
    InstanceId: 'i-1',
    UserData: { Value: new Uint8Array() },
  })
})

test('lists are read in the order of their numbers, whatever these are', () => {
  const params = { 'ImageId.10': 'd', 'ImageId.0': 'a', 'ImageId.9': 'c', 'ImageId.2': 'b' }
  assert.deepEqual(decode('DescribeImages', params), { ImageIds: ['a', 'b', 'c', 'd'] })
})

test('what is of the protocol is no input', () => {
  const params = {
    Action: 'DescribeImages',
    Version: '2016-11-15',
    'X-Amz-Date': 'x',
    DryRun: 'TRUE',
  }
  assert.deepEqual(decode('DescribeImages', params), { DryRun: true })
})

test('a parameter that the action does not have is refused by its whole name', () => {
  const names = [
    'Nope',
    'ImageId',
    'ImageIds.1',
    'imageId.1',
    'ImageId.01',
    'ImageId.1.Nope',
    'ImageId.-1',
    'ImageId.x',
    'Filter.1.Nope.1',
    'Filter.1.Name.',
    'DryRun.1',
    '__proto__',
    'Filter.1.__proto__.x',
    'constructor.prototype',
    'toString',
    '',
    '.',
  ]
  for (const name of names) {
    assert.throws(
      () => decode('DescribeImages', { [name]: 'x' }),
      refusal('UnknownParameter', `The parameter ${name} is not recognized`),
    )
  }
})

test('a parameter that is needed is asked for as the request would name it', () => {
  const missing = (name: string) =>
    refusal('MissingParameter', `The request must contain the parameter ${name}`)
  assert.throws(() => decode('CreateImage', { Name: 'x' }), missing('InstanceId'))
  assert.throws(() => decode('CreateImage', { InstanceId: 'i-1', Name: '' }), missing('Name'))
  assert.throws(() => decode('StartInstances', {}), missing('InstanceId'))
})

test('a value that is not of its kind is refused', () => {
  const run = (more: Record<string, string>) => () =>
    decode('RunInstances', { MinCount: '1', MaxCount: '1', ...more })
  for (const value of ['x', '1.5', '0x10', '1e3', ' 1', '99999999999999999999', 'NaN'])
    assert.throws(
      run({ MinCount: value }),
      refusal(
        'InvalidParameterValue',
        `Value (${value}) for parameter MinCount is invalid. It must be an integer.`,
      ),
    )
  assert.throws(run({ DryRun: 'yes' }), { code: 'InvalidParameterValue' })
  assert.throws(() => decode('ImportKeyPair', { KeyName: 'k', PublicKeyMaterial: 'a b!' }), {
    code: 'InvalidParameterValue',
    message: 'Invalid BASE64 encoding of parameter PublicKeyMaterial.',
  })
  const deprecate = (DeprecateAt: string) =>
    decode('EnableImageDeprecation', { ImageId: 'ami-1', DeprecateAt })['DeprecateAt']
  assert.deepEqual(deprecate('2027-02-03'), new Date('2027-02-03T00:00:00.000Z'))
  assert.deepEqual(deprecate('2027-02-03T04:05'), new Date('2027-02-03T04:05:00.000Z'))
  assert.deepEqual(deprecate('2027-02-03T04:05:06+02:00'), new Date('2027-02-03T02:05:06.000Z'))
  for (const value of ['tomorrow', '2027-02-31', '2027-13-01T00:00:00Z', '2027-02-03T25:00:00Z'])
    assert.throws(() => deprecate(value), { code: 'InvalidParameterValue' })
})

test('a list of more than a thousand items is refused', () => {
  const ids = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`ImageId.${index}`, 'ami-1']))
  assert.deepEqual(decode('DescribeImages', ids(1000))['ImageIds'], Array(1000).fill('ami-1'))
  assert.throws(() => decode('DescribeImages', ids(1001)), { code: 'InvalidParameterValue' })
})

test('STS names its lists in another way', () => {
  const params = new Map([
    ['RoleArn', 'arn'],
    ['RoleSessionName', 'me'],
    ['PolicyArns.member.2.arn', 'b'],
    ['PolicyArns.member.1.arn', 'a'],
    ['Tags', ''],
  ])
  assert.deepEqual(decodeInput(stsModel, 'AssumeRole', params), {
    RoleArn: 'arn',
    RoleSessionName: 'me',
    PolicyArns: [{ arn: 'a' }, { arn: 'b' }],
  })
  params.set('PolicyArns.1.arn', 'c')
  assert.throws(() => decodeInput(stsModel, 'AssumeRole', params), { code: 'UnknownParameter' })
})

test('a request names an action that there is, of the version that there is', () => {
  const actionOf = (params: Record<string, string>) => {
    const body = Buffer.from(new URLSearchParams(params).toString())
    const asked = ec2.read({ method: 'POST', target: '/', headers: {}, body })
    asked.decode()
    return asked.action
  }
  const Version = '2016-11-15'
  assert.equal(actionOf({ Action: 'DescribeImages', Version }), 'DescribeImages')
  assert.throws(() => actionOf({ Version }), { code: 'MissingAction' })
  assert.throws(() => actionOf({ Action: 'RunInstances' }), { code: 'MissingParameter' })
  assert.throws(
    () => actionOf({ Action: 'RunInstances', Version: '2006-06-26' }),
    refusal(
      'NoSuchVersion',
      'The requested version (2006-06-26) of service AmazonEC2 does not exist',
    ),
  )
  for (const Action of ['Nope', '__proto__', 'toString'])
    assert.throws(
      () => actionOf({ Action, Version }),
      refusal('InvalidAction', `The action ${Action} is not valid for this web service.`),
    )
})

test('what is secret in an input is not shown', () => {
  const input = decode('RunInstances', { MinCount: '1', MaxCount: '1', UserData: 'c2VjcmV0' })
  assert.deepEqual(ec2.redact('RunInstances', input), {
    MinCount: 1,
    MaxCount: 1,
    UserData: '[secret]',
  })
  assert.equal(ec2.idempotencyMember('RunInstances'), 'ClientToken')
  assert.equal(ec2.idempotencyMember('DescribeImages'), undefined)
})

const isRefusal = (error: unknown): boolean => error instanceof ApiError

test('whatever the parameters are, they are decoded or refused, and nothing breaks', () => {
  const anyPart = fc.oneof(
    fc.constantFrom(
      'Filter',
      'Name',
      'Value',
      'ImageId',
      'InstanceId',
      'BlockDeviceMapping',
      'Ebs',
    ),
    fc.constantFrom('TagSpecification', 'Tag', 'Key', 'VolumeSize', 'MinCount', 'DryRun', 'member'),
    fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'length', ''),
    fc.integer({ min: -1, max: 3 }).map(String),
    fc.string({ maxLength: 5 }),
  )
  const anyName = fc.array(anyPart, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('.'))
  const anyValue = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('1', 'true', '', 'YQ=='))
  const anyAction = fc.constantFrom('RunInstances', 'DescribeImages', 'CreateImage', 'CreateTags')
  fc.assert(
    fc.property(anyAction, fc.array(fc.tuple(anyName, anyValue)), (action, pairs) => {
      try {
        const input = decodeInput(ec2Model, action, new Map(pairs))
        assert.equal(Object.getPrototypeOf(input), Object.prototype)
      } catch (error) {
        assert(isRefusal(error), String(error))
      }
    }),
    { numRuns: 2000 },
  )
  assert(!('x' in {}))
})

const parse = (query: string, body = '') =>
  parseParams({ method: 'POST', target: `/?${query}`, headers: {}, body: Buffer.from(body) })

test('parameters come from the query string and from the body alike', () => {
  assert.deepEqual(
    [...parse('Action=A%20b&X', 'c=d+e&&f=%C3%A9&g=a=b&é=ü')],
    [
      ['Action', 'A b'],
      ['X', ''],
      ['c', 'd e'],
      ['f', 'é'],
      ['g', 'a=b'],
      ['é', 'ü'],
    ],
  )
})

test('a form that is malformed is refused', () => {
  const malformed = { code: 'MalformedQueryString' }
  assert.throws(() => parse('a=%'), malformed)
  assert.throws(() => parse('a=%ff'), malformed)
  assert.throws(() => parse('a=1&a=2'), malformed)
  assert.throws(() => parse('a=1', 'a=1'), malformed)
  assert.throws(() => parse('a'.repeat(600)), malformed)
  const many = Array.from({ length: 10_001 }, (_, index) => `p${index}=`).join('&')
  assert.throws(() => parse('', many), malformed)
})

test('whatever the form is, it is read or refused', () => {
  fc.assert(
    fc.property(fc.string(), fc.uint8Array({ maxLength: 200 }), (query, body) => {
      try {
        parseParams({ method: 'POST', target: `/?${query}`, headers: {}, body })
      } catch (error) {
        assert(isRefusal(error), String(error))
      }
    }),
    { numRuns: 1000 },
  )
})
