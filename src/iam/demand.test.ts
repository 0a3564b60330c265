import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePolicy } from '../policies/parse.ts'
import { type Demand, firstRefused, type Standing } from './demand.ts'
import { changesOf, ec2Resource, tagsOfRequest, taggingOnCreate } from './ec2-resources.ts'
import { keysOfCall } from './request-keys.ts'

const accountId = '111111111111'
const place = { region: 'us-east-1', accountId }
const arn = `arn:aws:iam::${accountId}:user/teams/bob`
const principal = { kind: 'user', accountId, arn } as const

const keys = keysOfCall({
  principal,
  userId: 'AIDAEXAMPLE',
  principalTags: [{ key: 'Team', value: 'red' }],
  tokenIssuedAt: undefined,
  region: 'us-east-1',
  now: new Date('2026-11-23T12:00:00Z'),
  sourceIp: '203.0.113.7',
  userAgent: 'aws-cli/2',
  isTls: true,
})

function standing(...statements: readonly object[]): Standing {
  const document = JSON.stringify({
    Version: '2012-10-17',
    Statement: statements.map((one) => ({ Effect: 'Allow', Resource: '*', ...one })),
  })
  const identity = [parsePolicy(document, 'managed', 'p')]
  return { principal, accountId, policies: { identity } }
}

const refusedArn = (demands: readonly Demand[], who: Standing) =>
  firstRefused(demands, who, keys)?.question.resource

const image = ec2Resource(
  'image',
  { ...place, id: 'ami-00000001' },
  {
    facts: { ImageID: 'ami-00000001', Owner: 'amazon', Public: true, RootDeviceType: 'ebs' },
    tags: [{ key: 'Team', value: 'red' }],
  },
)
const instance = ec2Resource('instance', place, { facts: { InstanceType: 't3.micro' } })
const parts = [
  image,
  instance,
  ec2Resource('volume', place, { facts: { VolumeSize: 8, Encrypted: false } }),
  ec2Resource('network-interface', place),
  ec2Resource('security-group', { ...place, id: 'sg-00000001' }),
  ec2Resource('subnet', { ...place, id: 'subnet-00000001' }),
  ec2Resource('key-pair', { ...place, id: 'mine' }, { facts: { KeyPairName: 'mine' } }),
  ec2Resource('snapshot', { ...place, id: 'snap-00000001' }, { facts: { Owner: 'amazon' } }),
]
const launch = parts.map((touched): Demand => ({ action: 'ec2:RunInstances', touched }))

test('a launch needs every one of the resources that it touches', () => {
  const Action = 'ec2:RunInstances'
  assert.equal(refusedArn(launch, standing({ Action })), undefined)
  for (const { arn: missing } of parts) {
    const but = { Effect: 'Deny', Action, Resource: missing }
    assert.equal(refusedArn(launch, standing({ Action }, but)), missing)
    const others = parts.filter((one) => one.arn !== missing).map((one) => one.arn)
    assert.equal(refusedArn(launch, standing({ Action, Resource: others })), missing)
  }
})

test('each resource is judged by its own keys, and those of the call', () => {
  const Action = 'ec2:RunInstances'
  const all = { Action }
  const deny = (Resource: string, Condition: object) => ({
    Effect: 'Deny',
    Action,
    Resource,
    Condition,
  })
  const volumes = 'arn:aws:ec2:*:*:volume/*'
  const tooLarge = deny(volumes, { NumericGreaterThan: { 'ec2:VolumeSize': 7 } })
  assert.equal(
    refusedArn(launch, standing(all, tooLarge)),
    `arn:aws:ec2:us-east-1:${accountId}:volume/*`,
  )
  const larger = deny(volumes, { NumericGreaterThan: { 'ec2:VolumeSize': 8 } })
  assert.equal(refusedArn(launch, standing(all, larger)), undefined)
  const plain = deny(volumes, { Bool: { 'ec2:Encrypted': 'false' } })
  assert.notEqual(refusedArn(launch, standing(all, plain)), undefined)

  const Condition = { StringNotEquals: { 'aws:ResourceTag/Team': '${aws:PrincipalTag/Team}' } }
  const images = 'arn:aws:ec2:*::image/*'
  assert.equal(refusedArn(launch, standing(all, deny(images, Condition))), undefined)
  const blue = { StringEquals: { 'ec2:ResourceTag/Team': 'blue' } }
  assert.equal(
    refusedArn(launch, standing({ Action, Resource: images, Condition: blue })),
    image.arn,
  )
})

test('tags on what a call makes need CreateTags, for that call', () => {
  const tags = [{ key: 'Team', value: 'red' }]
  const tagging = taggingOnCreate(instance, tags, 'RunInstances')
  const only = (action: string) => ({
    Action: 'ec2:CreateTags',
    Resource: 'arn:aws:ec2:*:*:*/*',
    Condition: { StringEquals: { 'ec2:CreateAction': action, 'aws:RequestTag/Team': 'red' } },
  })
  assert.equal(refusedArn(tagging, standing(only('RunInstances'))), undefined)
  assert.equal(refusedArn(tagging, standing(only('CreateVolume'))), instance.arn)
  assert.deepEqual(taggingOnCreate(instance, [], 'RunInstances'), [])
  const later = { action: 'ec2:CreateTags', touched: { ...image, keys: tagsOfRequest(tags) } }
  assert.equal(refusedArn([later], standing(only('RunInstances'))), image.arn)
})

test('whom an image is shared with is a matter of the policy, and so is the attribute', () => {
  const action = 'ec2:ModifyImageAttribute'
  const sharing = (...userIds: readonly string[]): readonly Demand[] => {
    const add = userIds.map((value) => ({ kind: 'userId', value }))
    const changes = changesOf({ attributes: { LaunchPermission: undefined }, add })
    return changes.map((change) => ({
      action,
      touched: { ...image, keys: { ...image.keys, ...change } },
    }))
  }
  const Condition = {
    StringEquals: { 'ec2:Attribute': 'LaunchPermission', 'ec2:Add/userId': '222222222222' },
  }
  const who = standing({ Action: action, Condition })
  assert.equal(refusedArn(sharing('222222222222'), who), undefined)
  assert.equal(refusedArn(sharing('333333333333'), who), image.arn)
  assert.equal(refusedArn(sharing('222222222222', '333333333333'), who), image.arn)
  const deny = { StringNotEquals: { 'ec2:Add/userId': '222222222222' } }
  const but = standing({ Action: action }, { Effect: 'Deny', Action: action, Condition: deny })
  assert.equal(refusedArn(sharing('222222222222'), but), undefined)
  assert.equal(refusedArn(sharing('222222222222', '333333333333'), but), image.arn)
})

test('tags that differ in the case of their keys are each judged', () => {
  const tags = [
    { key: 'Team', value: 'blue' },
    { key: 'team', value: 'red' },
  ]
  const keys = { ...instance.keys, ...tagsOfRequest(tags) }
  const tagged = [{ action: 'ec2:RunInstances', touched: { ...instance, keys } }]
  const Action = 'ec2:RunInstances'
  for (const value of ['blue', 'red']) {
    const Condition = { StringEquals: { 'aws:RequestTag/Team': value } }
    assert.equal(refusedArn(tagged, standing({ Action, Condition })), instance.arn)
    const but = { Effect: 'Deny', Action, Condition }
    assert.equal(refusedArn(tagged, standing({ Action }, but)), instance.arn)
  }
  const Condition = { StringEquals: { 'aws:RequestTag/Team': ['red', 'blue'] } }
  assert.equal(refusedArn(tagged, standing({ Action, Condition })), undefined)
})

test('what has a policy of its own is judged by it, in its own account', () => {
  const key = 'arn:aws:kms:us-east-1:222222222222:key/1'
  const trusting = (AWS: string) =>
    parsePolicy(
      JSON.stringify({
        Statement: { Effect: 'Allow', Action: 'kms:*', Resource: '*', Principal: { AWS } },
      }),
      'key',
      key,
    )
  const demand = (AWS: string): readonly Demand[] => {
    const guard = { policy: trusting(AWS), rulesAlone: true, accountId: '222222222222' }
    return [{ action: 'kms:Decrypt', touched: { arn: key, keys: {}, guard } }]
  }
  const who = standing({ Action: 'kms:Decrypt' })
  assert.equal(refusedArn(demand(accountId), who), undefined)
  assert.equal(refusedArn(demand('222222222222'), who), key)
  assert.equal(refusedArn(demand(accountId), standing({ Action: 'ec2:*' })), key)
})

test('a call is known by its caller, time, place and way', () => {
  const Condition = {
    StringEquals: {
      'aws:username': 'bob',
      'aws:PrincipalAccount': accountId,
      'aws:RequestedRegion': 'us-east-1',
    },
    ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:user/teams/*' },
    IpAddress: { 'aws:SourceIp': '203.0.113.0/24' },
    DateLessThan: { 'aws:CurrentTime': '2027-01-01T00:00:00Z' },
    NumericGreaterThan: { 'aws:EpochTime': 1_700_000_000 },
    Bool: { 'aws:SecureTransport': true },
    Null: { 'aws:TokenIssueTime': true },
  }
  assert.equal(refusedArn(launch, standing({ Action: 'ec2:*', Condition })), undefined)
})
