/** Who uses an image, and what an instance was made of: asked through a real client. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  CreateImageUsageReportCommand,
  type CreateImageUsageReportCommandInput,
  CreateTagsCommand,
  DeleteImageUsageReportCommand,
  DeregisterImageCommand,
  DescribeImageReferencesCommand,
  type DescribeImageReferencesCommandInput,
  DescribeImageUsageReportEntriesCommand,
  DescribeImageUsageReportsCommand,
  DescribeInstanceImageMetadataCommand,
  type DescribeInstanceImageMetadataCommandInput,
  DescribeTagsCommand,
  ModifyImageAttributeCommand,
  ResetImageAttributeCommand,
} from '@aws-sdk/client-ec2'
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import { putImage, putInstance } from './rows.ts'
import { accountId, region, startSystem } from './system.ts'

const other = '222222222222'
const owner = { accountId, region }

async function start(context: TestContext, isIdle = true) {
  const system = await startSystem(context, { isIdle })
  const image = await putImage(system.db, owner, { name: 'golden' })
  const theirs = await system.client(other)
  return { ...system, image, theirs }
}

test('an instance tells of its image when that is gone and was never its own', async (context) => {
  const { ec2, theirs, db, image } = await start(context)
  const launchPermission = { ImageId: image.id, Attribute: 'launchPermission' as const }
  await ec2.send(
    new ModifyImageAttributeCommand({
      ImageId: image.id,
      LaunchPermission: { Add: [{ UserId: other }] },
    }),
  )
  const instance = await putInstance(db, { accountId: other, region }, { imageId: image.id })
  const small = await putInstance(
    db,
    { accountId: other, region },
    { imageId: image.id, instanceType: 't3.micro', state: 'stopped' },
  )
  await ec2.send(new ResetImageAttributeCommand(launchPermission))
  await ec2.send(new DeregisterImageCommand({ ImageId: image.id }))
  const Tags = [{ Key: 'role', Value: 'web' }]
  await theirs.send(new CreateTagsCommand({ Resources: [instance.id], Tags }))

  const describe = async (input: DescribeInstanceImageMetadataCommandInput) =>
    (await theirs.send(new DescribeInstanceImageMetadataCommand(input))).InstanceImageMetadata ?? []
  const [found, ...others] = await describe({ InstanceIds: [instance.id] })
  assert.equal(others.length, 0)
  assert.deepEqual(found, {
    InstanceId: instance.id,
    InstanceType: 't3.nano',
    LaunchTime: instance.launchedAt,
    AvailabilityZone: `${region}a`,
    ZoneId: 'use1-az1',
    State: { Code: 16, Name: 'running' },
    OwnerId: other,
    Tags,
    ImageMetadata: {
      ImageId: image.id,
      Name: 'golden',
      OwnerId: accountId,
      State: 'deregistered',
      CreationDate: image.createdAt.toISOString(),
      IsPublic: false,
      ImageWatermarks: [],
    },
  })
  for (const [Name, value] of [
    ['availability-zone', `${region}*`],
    ['zone-id', 'use1-az1'],
    ['instance-id', instance.id],
    ['instance-state-name', 'running'],
    ['instance-type', 't3.nano'],
    ['launch-time', '2026-11-23T*'],
    ['owner-id', other],
    ['tag:role', 'web'],
    ['tag-key', 'role'],
  ] as const) {
    const ids = (await describe({ Filters: [{ Name, Values: [value] }] })).map(
      ({ InstanceId }) => InstanceId,
    )
    assert(ids.includes(instance.id), Name)
    assert.deepEqual(await describe({ Filters: [{ Name, Values: ['other'] }] }), [])
  }
  assert.deepEqual(
    new Set((await describe({})).map(({ InstanceId }) => InstanceId)),
    new Set([instance.id, small.id]),
  )
  await assert.rejects(describe({ InstanceIds: ['i-0123456789abcdef0'] }), {
    name: 'InvalidInstanceID.NotFound',
  })
  const mine = await ec2.send(new DescribeInstanceImageMetadataCommand({}))
  assert.deepEqual(mine.InstanceImageMetadata, [])
})

test('an account finds out which of its resources refer to images', async (context) => {
  const { ec2, theirs, db, image, endpoint, imago } = await start(context)
  const running = await putInstance(db, owner, { imageId: image.id })
  const stopped = await putInstance(db, owner, { imageId: image.id, state: 'stopped' })
  await putInstance(db, owner, { imageId: 'ami-00000002' })
  await putInstance(db, { ...owner, region: 'us-west-2' }, { imageId: image.id })
  const arn = (id: string) => `arn:aws:ec2:${region}:${accountId}:instance/${id}`
  const describe = async (
    input: Omit<DescribeImageReferencesCommandInput, 'ImageIds'>,
    ImageIds: string[] = [image.id],
  ) => {
    const command = new DescribeImageReferencesCommand({ ImageIds, ...input })
    return (await ec2.send(command)).ImageReferences ?? []
  }
  const ssm = new SSMClient({
    endpoint,
    region,
    credentials: { accessKeyId: imago.rootKey.id, secretAccessKey: imago.rootKey.secret.reveal() },
  })
  context.after(() => ssm.destroy())
  const parameter = { Name: '/golden', Value: image.id, Type: 'String' as const }
  await ssm.send(new PutParameterCommand({ ...parameter, DataType: 'aws:ec2:image' }))
  await ssm.send(new PutParameterCommand({ ...parameter, Name: '/a-text' }))
  assert.deepEqual(await describe({ ResourceTypes: [{ ResourceType: 'ssm:Parameter' }] }), [
    {
      ImageId: image.id,
      ResourceType: 'ssm:Parameter',
      Arn: `arn:aws:ssm:${region}:${accountId}:parameter/golden`,
    },
  ])
  const all = (await describe({ IncludeAllResourceTypes: true })).filter(
    ({ ResourceType }) => ResourceType !== 'ssm:Parameter',
  )
  assert.deepEqual(new Set(all.map(({ Arn }) => Arn)), new Set([arn(running.id), arn(stopped.id)]))
  assert.deepEqual(
    all.map(({ ImageId, ResourceType }) => [ImageId, ResourceType]),
    [
      [image.id, 'ec2:Instance'],
      [image.id, 'ec2:Instance'],
    ],
  )
  const ofState = (...OptionValues: string[]) => [
    {
      ResourceType: 'ec2:Instance' as const,
      ResourceTypeOptions: [{ OptionName: 'state-name' as const, OptionValues }],
    },
  ]
  for (const IncludeAllResourceTypes of [true, false]) {
    const found = await describe({ IncludeAllResourceTypes, ResourceTypes: ofState('stopped') })
    const instances = found.filter(({ ResourceType }) => ResourceType === 'ec2:Instance')
    assert.deepEqual(
      instances.map(({ Arn }) => Arn),
      [arn(stopped.id)],
    )
    assert.equal(found.length, IncludeAllResourceTypes ? 2 : 1)
  }
  assert.deepEqual(await describe({ ResourceTypes: [{ ResourceType: 'ec2:LaunchTemplate' }] }), [])
  const foreign = new DescribeImageReferencesCommand({
    ImageIds: [image.id],
    IncludeAllResourceTypes: true,
  })
  assert.deepEqual((await theirs.send(foreign)).ImageReferences, [])

  await assert.rejects(describe({}), { name: 'MissingParameter' })
  await assert.rejects(describe({ IncludeAllResourceTypes: true }, ['web']), {
    name: 'InvalidAMIID.Malformed',
  })
  const many = Array.from({ length: 11 }, (_, number) => `ami-000000${10 + number}`)
  for (const refused of [
    describe({ IncludeAllResourceTypes: true }, many),
    describe({ ResourceTypes: [{ ResourceType: 'ec2:Volume' as 'ec2:Instance' }] }),
    describe({ ResourceTypes: ofState('asleep') }),
    describe({ ResourceTypes: [...ofState(), ...ofState()] }),
    describe({
      ResourceTypes: [
        {
          ResourceType: 'ec2:LaunchTemplate',
          ResourceTypeOptions: [{ OptionName: 'version-depth', OptionValues: ['10001'] }],
        },
      ],
    }),
  ]) {
    await assert.rejects(refused, { name: 'InvalidParameterValue' })
  }
})

test('the owner of an image has it reported which accounts use it', async (context) => {
  const system = await start(context, false)
  const { ec2, theirs, db, image } = system
  await putInstance(db, { accountId: other, region }, { imageId: image.id, state: 'stopped' })
  const Tags = [{ Key: 'of', Value: 'the week' }]
  const create = async (input: Partial<CreateImageUsageReportCommandInput> = {}, client = ec2) => {
    const ResourceTypes = [{ ResourceType: 'ec2:Instance' }, { ResourceType: 'ec2:LaunchTemplate' }]
    const command = { ImageId: image.id, ResourceTypes, ...input }
    const { ReportId } = await client.send(new CreateImageUsageReportCommand(command))
    assert(ReportId)
    return ReportId
  }
  const TagSpecifications = [{ ResourceType: 'image-usage-report' as const, Tags }]
  const id = await create({ TagSpecifications, ClientToken: 'once' })
  assert.match(id, /^amiur-[0-9a-f]{17}$/)
  assert.equal(await create({ TagSpecifications, ClientToken: 'once' }), id)
  const describe = async (input: object) =>
    (await ec2.send(new DescribeImageUsageReportsCommand(input))).ImageUsageReports ?? []
  const report = await system.until('the report', async () => {
    const [found] = await describe({ ReportIds: [id] })
    return found?.State === 'available' && found
  })
  const { CreationTime, ExpirationTime } = report
  assert.deepEqual(report, {
    ImageId: image.id,
    ReportId: id,
    ResourceTypes: [
      { ResourceType: 'ec2:Instance' },
      {
        ResourceType: 'ec2:LaunchTemplate',
        ResourceTypeOptions: [{ OptionName: 'version-depth', OptionValues: ['20'] }],
      },
    ],
    AccountIds: [],
    State: 'available',
    CreationTime,
    ExpirationTime,
    Tags,
  })
  assert.equal(Number(ExpirationTime) - Number(CreationTime), 30 * 86_400_000)
  const entries = async (input: object) =>
    (await ec2.send(new DescribeImageUsageReportEntriesCommand(input))).ImageUsageReportEntries
  const entry = {
    ResourceType: 'ec2:Instance',
    ReportId: id,
    UsageCount: 1,
    AccountId: other,
    ImageId: image.id,
    ReportCreationTime: CreationTime,
  }
  assert.deepEqual(await entries({ ImageIds: [image.id] }), [entry])
  for (const [Name, value] of [
    ['account-id', other],
    ['resource-type', 'ec2:Instance'],
    ['creation-time', CreationTime?.toISOString() ?? ''],
  ] as const) {
    assert.deepEqual(await entries({ Filters: [{ Name, Values: [value] }] }), [entry])
    assert.deepEqual(await entries({ Filters: [{ Name, Values: ['other'] }] }), [])
  }
  assert.equal((await describe({ Filters: [{ Name: 'tag:of', Values: ['the*'] }] })).length, 1)
  assert.equal((await describe({ Filters: [{ Name: 'state', Values: ['error'] }] })).length, 0)
  assert.equal((await describe({ ImageIds: ['ami-00000002'] })).length, 0)
  await ec2.send(new CreateTagsCommand({ Resources: [id], Tags: [{ Key: 'more', Value: '' }] }))
  const tagged = await ec2.send(new DescribeTagsCommand({}))
  assert.deepEqual(
    tagged.Tags?.map(({ ResourceType, Key }) => [ResourceType, Key]),
    [
      ['image-usage-report', 'more'],
      ['image-usage-report', 'of'],
    ],
  )

  await assert.rejects(create({}, theirs), { name: 'InvalidAMIID.NotFound' })
  await assert.rejects(create({ ResourceTypes: [{ ResourceType: 'ssm:Parameter' }] }), {
    name: 'InvalidParameterValue',
  })
  const byState = { OptionName: 'state-name', OptionValues: ['running'] }
  const narrow = { ResourceType: 'ec2:Instance', ResourceTypeOptions: [byState] }
  await assert.rejects(create({ ResourceTypes: [narrow as { ResourceType: string }] }), {
    name: 'InvalidParameterValue',
    message: /state-name/,
  })
  await assert.rejects(create({ AccountIds: ['me'] }), { name: 'InvalidUserID.Malformed' })
  const many = Array.from({ length: 201 }, (_, number) => String(100_000_000_000 + number))
  await assert.rejects(create({ AccountIds: many }), { name: 'InvalidParameterValue' })
  const remove = new DeleteImageUsageReportCommand({ ReportId: id })
  const missing = { name: 'InvalidImageUsageReportId.NotFound' }
  await assert.rejects(theirs.send(remove), missing)
  await ec2.send(remove)
  await assert.rejects(ec2.send(remove), missing)
  await assert.rejects(describe({ ReportIds: [id] }), missing)
  await assert.rejects(describe({ ReportIds: ['one'] }), {
    name: 'InvalidImageUsageReportId.Malformed',
  })
})
