/**
 * What the services beside EC2 that govern images refuse, by their own codes, where
 * no story of theirs comes by: parameters, organizations and rules of the Recycle Bin.
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { labelsMax, parametersMax } from '../src/parameters/parameter.ts'
import { others, type OtherService } from './other-services.ts'
import { accountId, region, startSystem } from './system.ts'

async function start(context: TestContext, service: OtherService) {
  const system = await startSystem(context, { isIdle: true })
  const { commands, make } = others[service]
  const client = make(system.settingsWith())
  context.after(() => client.destroy())
  const call = (action: string, input: object) => {
    const Command = commands[`${action}Command`] as new (input: object) => object
    return client.send(new Command(input))
  }
  const refused = async (name: string, action: string, input: object) => {
    await assert.rejects(call(action, input), { name }, `${action} ${JSON.stringify(input)}`)
  }
  return { system, call, refused }
}

const tags = (count: number) =>
  Array.from({ length: count }, (_, number) => ({ Key: `key ${number}`, Value: 'x' }))

test('parameters refuse names, values and labels that cannot be', async (context) => {
  const { system, call, refused } = await start(context, 'ssm')
  const Name = '/app/image'
  const put = { Name, Value: 'x', Type: 'String' }
  const bad = (name: string, change: object) => refused(name, 'PutParameter', { ...put, ...change })
  const validation = 'ValidationException'
  for (const wrong of ['a b', '/a//b', 'aws/x', 'ssm-x', '/a/', 'a,b', `/${'x'.repeat(2000)}`]) {
    await bad(validation, { Name: wrong })
  }
  await bad('HierarchyLevelLimitExceededException', { Name: '/a'.repeat(16) })
  await bad(validation, { Value: 'x'.repeat(8193) })
  await bad(validation, { DataType: 'aws:ec2:image', Value: 'ami-0123456789abcdef0' })
  await bad(validation, { DataType: 'aws:ec2:image', Value: 'web' })
  await bad('InvalidAllowedPatternException', { AllowedPattern: '(' })
  await bad('ParameterPatternMismatchException', { AllowedPattern: '^y$' })
  await bad('TooManyTagsError', { Tags: tags(51) })
  await call('PutParameter', put)
  await bad('ParameterAlreadyExists', {})

  const label = (name: string, change: object) =>
    refused(name, 'LabelParameterVersion', { Name, Labels: ['a'], ...change })
  await label('ParameterNotFound', { Name: '/another' })
  await label('ParameterVersionNotFound', { ParameterVersion: 2 })
  const labels = (count: number, start: string) =>
    Array.from({ length: count }, (_, number) => `${start}${number}`)
  await call('LabelParameterVersion', { Name, Labels: labels(labelsMax, 'a') })
  await label('ParameterVersionLabelLimitExceeded', { Labels: ['one-more'] })
  await refused('ParameterVersionNotFound', 'GetParameter', { Name: `${Name}:none` })
  await refused('ParameterNotFound', 'GetParameter', { Name: '/another' })

  const ofTags = (name: string, change: object) =>
    refused(name, 'ListTagsForResource', { ResourceType: 'Parameter', ResourceId: Name, ...change })
  await ofTags('InvalidResourceId', { ResourceId: '/another' })
  await ofTags('InvalidResourceType', { ResourceType: 'Document' })

  // As many as an account may have, without the time that it takes to put them.
  const { writes } = system.db
  for (let start = 1; start < parametersMax; start += 500) {
    const rows = Array.from({ length: Math.min(500, parametersMax - start) }, (_, number) => ({
      account_id: accountId,
      region,
      name: `many-${start + number}`,
      latest_version: 1,
      tags: '[]',
    }))
    await writes.insertInto('parameters').values(rows).execute()
  }
  await bad('ParameterLimitExceeded', { Name: '/one/more' })
})

test('organizations refuse places and requests that are not there', async (context) => {
  const { call, refused } = await start(context, 'organizations')
  await refused('AWSOrganizationsNotInUseException', 'ListRoots', {})
  await call('CreateOrganization', {})
  const { Roots: [root] = [] } = (await call('ListRoots', {})) as { Roots?: { Id?: string }[] }
  const ParentId = root?.Id
  assert(ParentId)
  const unit = `ou-${ParentId.slice(2)}-00000000`
  await refused('OrganizationalUnitNotFoundException', 'DescribeOrganizationalUnit', {
    OrganizationalUnitId: unit,
  })
  await refused('CreateAccountStatusNotFoundException', 'DescribeCreateAccountStatus', {
    CreateAccountRequestId: `car-${'0'.repeat(32)}`,
  })
  await refused('AccountNotFoundException', 'DescribeAccount', { AccountId: '999999999999' })
  const make = (name: string, input: object) => refused(name, 'CreateOrganizationalUnit', input)
  await make('ParentNotFoundException', { ParentId: unit, Name: 'a' })
  await make('InvalidInputException', { ParentId: 'web', Name: 'a' })
  await make('InvalidInputException', { ParentId, Name: 'x'.repeat(129) })
  await call('CreateOrganizationalUnit', { ParentId, Name: 'a' })
  await make('DuplicateOrganizationalUnitException', { ParentId, Name: 'a' })
  const move = (name: string, SourceParentId: string, DestinationParentId: string) =>
    refused(name, 'MoveAccount', { AccountId: accountId, SourceParentId, DestinationParentId })
  await move('SourceParentNotFoundException', unit, ParentId)
  await move('DestinationParentNotFoundException', ParentId, unit)
  await move('DuplicateAccountException', ParentId, ParentId)
})

test('rules of the Recycle Bin refuse more than they can hold', async (context) => {
  const { call, refused } = await start(context, 'rbin')
  const RetentionPeriod = { RetentionPeriodValue: 1, RetentionPeriodUnit: 'DAYS' }
  const rule = { ResourceType: 'EC2_IMAGE', RetentionPeriod }
  await refused('ServiceQuotaExceededException', 'CreateRule', { ...rule, Tags: tags(51) })
  await refused('ValidationException', 'CreateRule', { ...rule, ResourceType: 'EC2_VOLUME' })
  for (const RetentionPeriodValue of [0, 3651]) {
    const wrong = { ...rule, RetentionPeriod: { ...RetentionPeriod, RetentionPeriodValue } }
    await refused('ValidationException', 'CreateRule', wrong)
  }
  const Identifier = 'abcdefghijk'
  for (const action of ['GetRule', 'DeleteRule', 'UnlockRule', 'UpdateRule']) {
    await refused('ResourceNotFoundException', action, { Identifier })
  }
  const made = (await call('CreateRule', rule)) as { Identifier?: string }
  await refused('ConflictException', 'UnlockRule', { Identifier: made.Identifier })
  await refused('ValidationException', 'ListRules', {
    ResourceType: 'EC2_IMAGE',
    NextToken: 'here',
  })
})
