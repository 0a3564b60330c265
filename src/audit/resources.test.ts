import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resourcesIn } from './resources.ts'

test('what a call names is found in all that it was given and all that it made', () => {
  const input = { ImageId: 'ami-0123456789abcdef0', Names: ['web', 'ami-', 'x-12345678'] }
  const output = { Instances: [{ InstanceId: 'i-0123456789abcdef0', ImageId: input.ImageId }] }
  assert.deepEqual(resourcesIn(input, output), [
    { type: 'AWS::EC2::Ami', name: 'ami-0123456789abcdef0' },
    { type: 'AWS::EC2::Instance', name: 'i-0123456789abcdef0' },
  ])
})

test('what is nested without end, or too much, is looked at as far as it is sensible', () => {
  const ring: Record<string, unknown> = {}
  ring['again'] = ring
  const many = Array.from(
    { length: 1000 },
    (_, index) => `vol-${index.toString(16).padStart(17, '0')}`,
  )
  assert.deepEqual(resourcesIn(ring), [])
  assert.equal(resourcesIn(many).length, 100)
})

test('of namesakes of several types there is one', () => {
  const input = { InstanceProfileName: 'web', RoleName: 'web' }
  assert.deepEqual(resourcesIn(input), [{ type: 'AWS::IAM::InstanceProfile', name: 'web' }])
})

test('what IAM keeps is named by its members', () => {
  const input = { UserName: 'alice', Groups: [{ RoleName: 'web', Path: 'UserName' }] }
  const output = { AccessKey: { UserName: 'alice', AccessKeyId: 'AKIA0', SecretAccessKey: 's' } }
  assert.deepEqual(resourcesIn(input, output), [
    { type: 'AWS::IAM::User', name: 'alice' },
    { type: 'AWS::IAM::Role', name: 'web' },
    { type: 'AWS::IAM::AccessKey', name: 'AKIA0' },
  ])
})

test('words that every object knows name nothing', () => {
  const input = {
    Name: 'constructor-01234567',
    body: JSON.parse('{"__proto__":"a","toString":"b"}') as unknown,
  }
  assert.deepEqual(resourcesIn(input), [])
})
