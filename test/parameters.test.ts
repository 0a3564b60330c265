/** Parameters through the SDK: versions, labels, paths, and images by names that stay. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  DescribeImagesCommand,
  type DescribeImagesCommandInput,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2'
import {
  AddTagsToResourceCommand,
  DeleteParameterCommand,
  DeleteParametersCommand,
  DescribeParametersCommand,
  type DescribeParametersCommandInput,
  GetParameterCommand,
  GetParameterHistoryCommand,
  GetParametersByPathCommand,
  GetParametersCommand,
  LabelParameterVersionCommand,
  ListTagsForResourceCommand,
  PutParameterCommand,
  type PutParameterCommandInput,
  RemoveTagsFromResourceCommand,
  SendCommandCommand,
  SSMClient,
  UnlabelParameterVersionCommand,
} from '@aws-sdk/client-ssm'
import { databases } from './databases.ts'
import { recordStarter } from './starter-image.ts'
import { accountId, allowAll, region, startSystem, type TestSystem } from './system.ts'

async function start(context: TestContext, database: keyof typeof databases = 'sqlite') {
  const system = await startSystem(context, { isIdle: true, database })
  const ssm = new SSMClient(system.settingsWith())
  context.after(() => ssm.destroy())
  const put = (Name: string, Value: string, more: Partial<PutParameterCommandInput> = {}) =>
    ssm.send(new PutParameterCommand({ Name, Value, Type: 'String', ...more }))
  const get = async (Name: string) =>
    (await ssm.send(new GetParameterCommand({ Name }))).Parameter?.Value
  return { system, ssm, put, get }
}

/** A client of another account. */
async function clientOf(context: TestContext, system: TestSystem, account: string) {
  const client = new SSMClient(await system.settingsOf(account))
  context.after(() => client.destroy())
  return client
}

const names = (list: readonly { Name?: string | undefined }[] | undefined) =>
  (list ?? []).map(({ Name }) => Name)

for (const database of Object.keys(databases) as (keyof typeof databases)[]) {
  test(`a parameter keeps its versions, and labels move between them (${database})`, async (context) => {
    const { ssm, put, get } = await start(context, database)
    assert.deepEqual((await put('/app/image', 'one')).Version, 1)
    await assert.rejects(put('/app/image', 'two'), { name: 'ParameterAlreadyExists' })
    const second = await put('/app/image', 'two', { Overwrite: true })
    assert.deepEqual([second.Version, second.Tier], [2, 'Standard'])

    const label = (ParameterVersion: number, Labels: string[]) =>
      ssm.send(new LabelParameterVersionCommand({ Name: '/app/image', ParameterVersion, Labels }))
    await label(1, ['prod', 'old'])
    assert.equal(await get('/app/image:prod'), 'one')
    await label(2, ['prod'])
    assert.equal(await get('/app/image:prod'), 'two')
    assert.equal(await get('/app/image:1'), 'one')
    assert.equal(await get('/app/image'), 'two')
    const arn = `arn:aws:ssm:${region}:${accountId}:parameter/app/image`
    assert.equal(await get(`${arn}:old`), 'one')
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: `${arn}:1` }))
    assert.equal(Parameter?.ARN, arn)
    assert.equal(Parameter?.Selector, ':1')
    assert.equal(Parameter?.DataType, 'text')
    assert(Parameter?.LastModifiedDate instanceof Date)

    await assert.rejects(get('/app/image:7'), { name: 'ParameterVersionNotFound' })
    await assert.rejects(get('/app/image:nope'), { name: 'ParameterVersionNotFound' })
    await assert.rejects(get('/app/none'), { name: 'ParameterNotFound' })
    await assert.rejects(label(9, ['x']), { name: 'ParameterVersionNotFound' })
    assert.deepEqual((await label(2, ['1st', 'fine'])).InvalidLabels, ['1st'])

    const Name = '/app/image'
    const history = await ssm.send(new GetParameterHistoryCommand({ Name }))
    assert.deepEqual(
      history.Parameters?.map(({ Version, Value, Labels }) => [Version, Value, Labels]),
      [
        [1, 'one', ['old']],
        [2, 'two', ['prod']],
      ],
    )
    assert.equal(history.Parameters?.[0]?.LastModifiedUser, `arn:aws:iam::${accountId}:user/admin`)
    const paged = await ssm.send(new GetParameterHistoryCommand({ Name, MaxResults: 1 }))
    const { NextToken } = paged
    const rest = await ssm.send(new GetParameterHistoryCommand({ Name, MaxResults: 1, NextToken }))
    assert.deepEqual([rest.Parameters?.[0]?.Version, rest.NextToken], [2, undefined])

    const unlabelled = await ssm.send(
      new UnlabelParameterVersionCommand({ Name, ParameterVersion: 2, Labels: ['prod', 'x'] }),
    )
    assert.deepEqual([unlabelled.RemovedLabels, unlabelled.InvalidLabels], [['prod'], ['x']])
    await ssm.send(new DeleteParameterCommand({ Name }))
    await assert.rejects(ssm.send(new DeleteParameterCommand({ Name })), {
      name: 'ParameterNotFound',
    })
    assert.equal((await put(Name, 'again')).Version, 1)
  })

  test(`parameters are found by path, by filter and by page (${database})`, async (context) => {
    const { system, ssm, put } = await start(context, database)
    const all = ['/a/b', '/a/b/c', '/a/B', '/a_/x', 'plain', '/ab']
    for (const name of all) {
      await put(name, `of ${name}`, name === '/a/b/c' ? { Type: 'StringList' } : {})
    }
    const below = async (Path: string, Recursive = false, more: object = {}) => {
      const input = { Path, Recursive, ...more }
      return names((await ssm.send(new GetParametersByPathCommand(input))).Parameters)
    }
    assert.deepEqual(await below('/a'), ['/a/B', '/a/b'])
    assert.deepEqual(await below('/a/', true), ['/a/B', '/a/b', '/a/b/c'])
    assert.deepEqual(await below('/', false), ['/ab', 'plain'])
    assert.deepEqual(await below('/', true), all.toSorted())
    assert.deepEqual(
      await below('/a', true, { ParameterFilters: [{ Key: 'Type', Values: ['StringList'] }] }),
      ['/a/b/c'],
    )
    const label = { Name: '/a/b', Labels: ['prod'] }
    await ssm.send(new LabelParameterVersionCommand(label))
    await put('/a/b', 'newer', { Overwrite: true })
    const labelled = await ssm.send(
      new GetParametersByPathCommand({
        Path: '/a',
        ParameterFilters: [{ Key: 'Label', Values: ['prod'] }],
      }),
    )
    assert.deepEqual(
      labelled.Parameters?.map(({ Value }) => Value),
      ['of /a/b'],
    )

    const seen: (string | undefined)[] = []
    let NextToken: string | undefined
    do {
      const page = await ssm.send(
        new DescribeParametersCommand({ MaxResults: 2, ...(NextToken && { NextToken }) }),
      )
      assert((page.Parameters?.length ?? 0) <= 2)
      seen.push(...names(page.Parameters))
      NextToken = page.NextToken
    } while (NextToken)
    assert.deepEqual(seen, all.toSorted())

    const described = async (input: DescribeParametersCommandInput) =>
      names((await ssm.send(new DescribeParametersCommand(input))).Parameters)
    const by = (Key: string, Values: string[], Option?: string) =>
      described({ ParameterFilters: [{ Key, Values, ...(Option && { Option }) }] })
    assert.deepEqual(await by('Name', ['plain', '/ab']), ['/ab', 'plain'])
    assert.deepEqual(await by('Name', ['/a/'], 'BeginsWith'), ['/a/B', '/a/b', '/a/b/c'])
    assert.deepEqual(await by('Name', ['lai'], 'Contains'), ['plain'])
    assert.deepEqual(await by('Path', ['/a']), ['/a/B', '/a/b'])
    assert.deepEqual(await by('Path', ['/a'], 'Recursive'), ['/a/B', '/a/b', '/a/b/c'])
    assert.deepEqual(await described({ Filters: [{ Key: 'Name', Values: ['/a_'] }] }), ['/a_/x'])
    const tag = { ResourceType: 'Parameter', ResourceId: 'plain' } as const
    await ssm.send(new AddTagsToResourceCommand({ ...tag, Tags: [{ Key: 'stage', Value: 'x' }] }))
    assert.deepEqual(await by('tag:stage', ['x']), ['plain'])
    assert.deepEqual(await by('tag:stage', ['y']), [])
    assert.deepEqual((await ssm.send(new ListTagsForResourceCommand(tag))).TagList, [
      { Key: 'stage', Value: 'x' },
    ])
    await ssm.send(new RemoveTagsFromResourceCommand({ ...tag, TagKeys: ['stage'] }))
    assert.deepEqual((await ssm.send(new ListTagsForResourceCommand(tag))).TagList, [])

    await assert.rejects(by('Label', ['x']), { name: 'InvalidFilterKey' })
    await assert.rejects(by('Name', []), { name: 'InvalidFilterValue' })
    await assert.rejects(by('Type', ['x']), { name: 'InvalidFilterOption' })
    await assert.rejects(by('Type', ['String'], 'Contains'), { name: 'InvalidFilterOption' })
    await assert.rejects(by('Nope', ['x']), { name: 'ValidationException' })
    await assert.rejects(described({ MaxResults: 51 }), { name: 'ValidationException' })
    await assert.rejects(described({ NextToken: 'x' }), { name: 'InvalidNextToken' })
    await assert.rejects(below('a'), { name: 'ValidationException' })

    const got = await ssm.send(new GetParametersCommand({ Names: ['plain', '/a/b:1', '/none'] }))
    assert.deepEqual(
      got.Parameters?.map(({ Value }) => Value),
      ['of plain', 'of /a/b'],
    )
    assert.deepEqual(got.InvalidParameters, ['/none'])

    // Another account has parameters of its own.
    const theirs = await clientOf(context, system, '222222222222')
    assert.deepEqual((await theirs.send(new DescribeParametersCommand({}))).Parameters, [])
    const Name = `arn:aws:ssm:${region}:${accountId}:parameter/a/b`
    await assert.rejects(theirs.send(new GetParameterCommand({ Name })), {
      name: 'ParameterNotFound',
    })

    const gone = await ssm.send(new DeleteParametersCommand({ Names: ['plain', '/none'] }))
    assert.deepEqual([gone.DeletedParameters, gone.InvalidParameters], [['plain'], ['/none']])
  })
}

test('what no parameter can be is refused as AWS does', async (context) => {
  const { ssm, put } = await start(context)
  const refused = (name: string, of: Promise<unknown>, message?: RegExp) =>
    assert.rejects(of, { name, ...(message && { message }) })
  await refused('ValidationException', put('aws-x', 'x'), /can't be prefixed with "aws" or "ssm"/)
  await refused('AccessDeniedException', put('/aws/x', 'x'), /reserved parameter name: \/aws\/x/)
  await refused('ValidationException', put('/ssm/x', 'x'), /can't be prefixed with "ssm"/)
  await refused('ValidationException', put('a/b', 'x'), /fully qualified/)
  await refused('ValidationException', put('/a b', 'x'))
  await refused('ValidationException', put('/a/', 'x'))
  await refused('HierarchyLevelLimitExceededException', put('/a'.repeat(16), 'x'))
  await refused('ValidationException', put('/a', ''), /Value '' at 'value'/)
  await refused('ValidationException', put('/a', 'x', { Type: 'Nope' as never }), /enum value set/)
  const typeless = ssm.send(new PutParameterCommand({ Name: '/a', Value: 'x' }))
  await refused('ValidationException', typeless, /type is required/)
  await refused('ValidationException', put('/a', 'x', { DataType: 'Text' }), /lowercase/)
  await refused(
    'ValidationException',
    put('/a', 'x'.repeat(4097)),
    /maximum parameter value of 4096/,
  )
  const Tags = [{ Key: 'a', Value: 'b' }]
  await refused('ValidationException', put('/a', 'x', { Overwrite: true, Tags }), /can't be used/)
  await refused('ValidationException', put('/a', 'x', { KeyId: 'alias/x' }), /SecureString/)
  const AllowedPattern = '^\\d+$'
  await refused('ParameterPatternMismatchException', put('/a', 'x', { AllowedPattern }))
  await refused('InvalidAllowedPatternException', put('/a', 'x', { AllowedPattern: '(' }))
  const forever = { AllowedPattern: '^(a+)+$' }
  await refused('InvalidAllowedPatternException', put('/a', `${'a'.repeat(64)}!`, forever))

  const big = await put('/big', 'x'.repeat(5000), { Tier: 'Intelligent-Tiering' })
  assert.equal(big.Tier, 'Advanced')
  const Overwrite = true
  await refused(
    'ValidationException',
    put('/big', 'x', { Tier: 'Standard', Overwrite }),
    /downgrade/,
  )
  await refused(
    'HierarchyTypeMismatchException',
    put('/big', 'x', { Type: 'StringList', Overwrite }),
  )
  // What is built of SSM is the Parameter Store; the rest is refused by its name.
  const other = new SendCommandCommand({ DocumentName: 'AWS-RunShellScript' })
  await assert.rejects(ssm.send(other), {
    name: 'UnsupportedOperationException',
    message: /SendCommand/,
  })
})

test('a hundred versions are kept, and the oldest goes unless it has a label', async (context) => {
  const { ssm, put, get } = await start(context)
  const Name = '/many'
  for (let version = 1; version <= 101; version++) {
    await put(Name, `v${version}`, { Overwrite: version > 1 })
  }
  await assert.rejects(get(`${Name}:1`), { name: 'ParameterVersionNotFound' })
  assert.equal(await get(`${Name}:2`), 'v2')
  const label = { Name, ParameterVersion: 2, Labels: ['keep'] }
  await ssm.send(new LabelParameterVersionCommand(label))
  await assert.rejects(put(Name, 'x', { Overwrite: true }), {
    name: 'ParameterMaxVersionLimitExceeded',
  })
  assert.equal(await get(Name), 'v101')
})

test('the newest starter image is a public parameter, for every account', async (context) => {
  const { system, ssm, get } = await start(context)
  const tiny = '/aws/service/imago/tiny/latest/image_id'
  await assert.rejects(get(tiny), { name: 'ParameterNotFound' })
  const older = await recordStarter(system, { recipe: 'tiny', at: new Date('2026-01-01') })
  assert.equal(await get(tiny), older)
  const newer = await recordStarter(system, { recipe: 'tiny', at: new Date('2026-02-01') })
  const debian = await recordStarter(system, { recipe: 'debian-12', at: new Date('2026-02-02') })
  const theirs = await clientOf(context, system, '222222222222')
  const { Parameter } = await theirs.send(new GetParameterCommand({ Name: tiny }))
  assert.deepEqual(
    [Parameter?.Value, Parameter?.Version, Parameter?.DataType, Parameter?.ARN],
    [newer, 2, 'aws:ec2:image', `arn:aws:ssm:${region}::parameter${tiny}`],
  )
  const byPath = { Path: '/aws/service', Recursive: true }
  const { Parameters } = await theirs.send(new GetParametersByPathCommand(byPath))
  assert.deepEqual(
    Parameters?.map(({ Name, Value }) => [Name, Value]),
    [
      ['/aws/service/debian/release/12/latest/amd64', debian],
      [tiny, newer],
    ],
  )
  const ParameterFilters = [{ Key: 'Path', Option: 'Recursive', Values: ['/aws/service'] }]
  const described = await ssm.send(new DescribeParametersCommand({ ParameterFilters }))
  assert.equal(described.Parameters?.length, 2)
})

test('a parameter of an image names one that the account can use', async (context) => {
  const { system, put, get } = await start(context)
  const image = await recordStarter(system, { recipe: 'tiny', at: new Date('2026-01-01') })
  const DataType = 'aws:ec2:image'
  await put('/golden', image, { DataType })
  assert.equal(await get('/golden'), image)
  const refused = { name: 'ValidationException' }
  const none = 'ami-0123456789abcdef0'
  await assert.rejects(put('/golden', none, { DataType, Overwrite: true }), refused)
  await assert.rejects(put('/golden', 'nonsense', { Overwrite: true }), refused)
  await assert.rejects(put('/other', image, { DataType, Type: 'StringList' }), refused)
  assert.equal(await get('/golden'), image)
})

test('an image is launched by the name of its parameter', async (context) => {
  const { system, ssm, put } = await start(context)
  const older = await recordStarter(system, { recipe: 'tiny', at: new Date('2026-01-01') })
  const newer = await recordStarter(system, { recipe: 'tiny', at: new Date('2026-02-01') })
  await put('/golden', older, { DataType: 'aws:ec2:image' })
  await put('/golden', newer, { Overwrite: true })
  const label = { Name: '/golden', ParameterVersion: 1, Labels: ['prod'] }
  await ssm.send(new LabelParameterVersionCommand(label))
  await put('/text', newer)

  const run = async (name: string, client = system.ec2) => {
    const ImageId = `resolve:ssm:${name}`
    const input = { ImageId, InstanceType: 't3.nano', MinCount: 1, MaxCount: 1 } as const
    return (await client.send(new RunInstancesCommand(input))).Instances?.[0]?.ImageId
  }
  const arn = `arn:aws:ssm:${region}:${accountId}:parameter/golden`
  assert.equal(await run('/golden'), newer)
  assert.equal(await run('/golden:1'), older)
  assert.equal(await run('/golden:prod'), older)
  assert.equal(await run(`${arn}:prod`), older)
  assert.equal(await run('/aws/service/imago/tiny/latest/image_id'), newer)

  const invalid = { name: 'SsmInvalidParameter', message: /^The following aliases are invalid: / }
  for (const name of ['/none', '/golden:9', '/golden:nope', '', ':', 'arn:x']) {
    await assert.rejects(run(name), invalid)
  }
  await assert.rejects(run('/text'), { name: 'SsmInvalidParameter', message: /aws:ec2:image/ })

  // What one may not launch by its id, one may not launch by a name for it either.
  const deny = {
    effect: 'Deny',
    actions: ['*'],
    resources: [`arn:aws:ec2:*:*:image/${newer}`],
  } as const
  const theirs = await system.client('333333333333', [allowAll, deny])
  const own = new SSMClient(await system.settingsOf('333333333333', [allowAll, deny]))
  context.after(() => own.destroy())
  for (const [Name, Value] of [['/denied', newer] as const, ['/fine', older] as const]) {
    const input = { Name, Value, Type: 'String', DataType: 'aws:ec2:image' } as const
    await own.send(new PutParameterCommand(input))
  }
  assert.equal(await run('/fine', theirs), older)
  await assert.rejects(run('/denied', theirs), { name: 'UnauthorizedOperation' })
  const noParameters = { effect: 'Deny', actions: ['ssm:GetParameters'], resources: ['*'] } as const
  const blind = await system.client('333333333333', [allowAll, noParameters, deny])
  await assert.rejects(run('/fine', blind), { name: 'UnauthorizedOperation' })
})

test('an image says which public parameter stands for it', async (context) => {
  const { system } = await start(context)
  const older = await recordStarter(system, { recipe: 'tiny', at: new Date('2026-01-01') })
  const newer = await recordStarter(system, { recipe: 'tiny', at: new Date('2026-02-01') })
  const name = '/aws/service/imago/tiny/latest/image_id'
  const describe = async (input: DescribeImagesCommandInput) =>
    (await system.ec2.send(new DescribeImagesCommand(input))).Images?.map((image) => [
      image.ImageId,
      image.PublicSsmParameterName,
    ])
  const Filters = [{ Name: 'public-ssm-parameter-name', Values: ['/aws/service/imago/*'] }]
  assert.deepEqual(await describe({ Filters }), [[newer, name]])
  assert.deepEqual(await describe({ ImageIds: [older] }), [[older, undefined]])
})
