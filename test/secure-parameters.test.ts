/** Parameters that are secrets, through the SDK: sealed under keys of KMS, in plain for nobody else. */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  GetKeyPolicyCommand,
  KMSClient,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import {
  DescribeParametersCommand,
  GetParameterCommand,
  GetParameterHistoryCommand,
  GetParametersByPathCommand,
  GetParametersCommand,
  LabelParameterVersionCommand,
  PutParameterCommand,
  type PutParameterCommandInput,
  SSMClient,
} from '@aws-sdk/client-ssm'
import { sql } from 'kysely'
import { databases } from './databases.ts'
import { accountId, allowAll, region, startSystem } from './system.ts'

async function start(context: TestContext, database: keyof typeof databases = 'sqlite') {
  const system = await startSystem(context, { isIdle: true, database })
  const clients = (settings: ReturnType<typeof system.settingsWith>) => {
    const ssm = new SSMClient(settings)
    const kms = new KMSClient(settings)
    context.after(() => ssm.destroy())
    context.after(() => kms.destroy())
    const put = (Name: string, Value: string, more: Partial<PutParameterCommandInput> = {}) =>
      ssm.send(new PutParameterCommand({ Name, Value, Type: 'SecureString', ...more }))
    const get = async (Name: string, WithDecryption?: boolean) =>
      (await ssm.send(new GetParameterCommand({ Name, WithDecryption }))).Parameter
    return { ssm, kms, put, get }
  }
  return { system, clients, ...clients(system.settingsWith()) }
}

const arnOf = (name: string) => `arn:aws:ssm:${region}:${accountId}:parameter${name}`

for (const database of Object.keys(databases) as (keyof typeof databases)[]) {
  test(`a secret is told in plain to who asks for that (${database})`, async (context) => {
    const { ssm, kms, put, get } = await start(context, database)
    const first = await put('/app/password', 'open sesame')
    assert.deepEqual([first.Version, first.Tier], [1, 'Standard'])
    const plain = await get('/app/password', true)
    assert.deepEqual([plain?.Type, plain?.Value], ['SecureString', 'open sesame'])
    const sealed = await get('/app/password')
    assert.equal(sealed?.Type, 'SecureString')
    assert.notEqual(sealed?.Value, 'open sesame')
    assert.match(sealed?.Value ?? '', /^[A-Za-z0-9+/]+=*$/)

    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
    const { KeyId = '' } = KeyMetadata ?? {}
    const AliasName = 'alias/app'
    await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId }))
    await put('/app/password', 'geheim', { Overwrite: true, KeyId: AliasName, Type: undefined })
    await put('/app/long', 'ä'.repeat(4000), { Tier: 'Advanced', KeyId })
    assert.equal((await get('/app/long', true))?.Value, 'ä'.repeat(4000))
    assert.equal((await get('/app/password:1', true))?.Value, 'open sesame')
    assert.equal((await get('/app/password:2', true))?.Value, 'geheim')
    const label = { Name: '/app/password', ParameterVersion: 1, Labels: ['old'] }
    await ssm.send(new LabelParameterVersionCommand(label))
    assert.equal((await get('/app/password:old', true))?.Value, 'open sesame')

    await put('/app/open', 'public', { Type: 'String' })
    const Names = ['/app/password', '/app/open', '/app/none']
    const several = await ssm.send(new GetParametersCommand({ Names, WithDecryption: true }))
    assert.deepEqual(
      several.Parameters?.map(({ Name, Value }) => [Name, Value]),
      [
        ['/app/password', 'geheim'],
        ['/app/open', 'public'],
      ],
    )
    const byPath = { Path: '/app', WithDecryption: true }
    const below = await ssm.send(new GetParametersByPathCommand(byPath))
    assert.deepEqual(
      below.Parameters?.map(({ Value }) => Value),
      ['ä'.repeat(4000), 'public', 'geheim'],
    )
    const asked = { Name: '/app/password', WithDecryption: true }
    const history = await ssm.send(new GetParameterHistoryCommand(asked))
    assert.deepEqual(
      history.Parameters?.map((each) => [each.Value, each.KeyId]),
      [
        ['open sesame', 'alias/aws/ssm'],
        ['geheim', AliasName],
      ],
    )
    const found = async (Key: string, ...Values: string[]) => {
      const ParameterFilters = [{ Key, Values }]
      const { Parameters = [] } = await ssm.send(
        new DescribeParametersCommand({ ParameterFilters }),
      )
      return Parameters.map(({ Name, KeyId: key }) => [Name, key])
    }
    assert.deepEqual(await found('KeyId', AliasName), [['/app/password', AliasName]])
    assert.deepEqual(await found('Type', 'String'), [['/app/open', undefined]])
    // Who may use the key can open the value by KMS too, for the parameter that it is of.
    const CiphertextBlob = Buffer.from((await get('/app/password'))?.Value ?? '', 'base64')
    const EncryptionContext = { PARAMETER_ARN: arnOf('/app/password') }
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
    assert.equal(Buffer.from(opened.Plaintext ?? []).toString(), 'geheim')
    const other = { PARAMETER_ARN: arnOf('/app/long') }
    await assert.rejects(
      kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: other })),
      { name: 'InvalidCiphertextException' },
    )
  })
}

test('a secret that has no key to use is refused as SSM refuses it', async (context) => {
  const { ssm, kms, put, get } = await start(context)
  const missing = '11111111-2222-4333-8444-555555555555'
  const invalid = { name: 'InvalidKeyId' }
  await assert.rejects(put('/a', 'x', { KeyId: missing }), {
    ...invalid,
    message: /does not exist \(Service: AWSKMS; Status Code: 400; Error Code: NotFoundException\)/,
  })
  await assert.rejects(put('/a', 'x', { KeyId: 'alias/none' }), invalid)
  await assert.rejects(put('/a', 'x', { KeyId: 'no key' }), invalid)
  await assert.rejects(put('/a', 'x', { KeyId: 'arn:aws:kms:eu-north-1:1:key/x' }), invalid)
  await assert.rejects(put('/a', 'x', { KeyId: 'alias/aws/ebs' }), (error: Error) =>
    ['InvalidKeyId', 'AccessDeniedException'].includes(error.name),
  )
  const valid = { name: 'ValidationException' }
  await assert.rejects(put('/a', 'x', { Type: 'String', KeyId: 'alias/aws/ssm' }), valid)
  await assert.rejects(put('/a', 'x', { DataType: 'aws:ec2:image' }), valid)
  await assert.rejects(put('/a', 'x'.repeat(4097)), valid)
  await assert.rejects(get('/a'), { name: 'ParameterNotFound' })

  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const { KeyId = '' } = KeyMetadata ?? {}
  await put('/a', 'secret', { KeyId })
  await kms.send(new DisableKeyCommand({ KeyId }))
  const disabled = { ...invalid, message: /is disabled\. \(.*DisabledException\)/ }
  await assert.rejects(put('/b', 'secret', { KeyId }), disabled)
  await assert.rejects(get('/a', true), disabled)
  const Names = ['/a']
  await assert.rejects(
    ssm.send(new GetParametersCommand({ Names, WithDecryption: true })),
    disabled,
  )
  await assert.rejects(
    ssm.send(new GetParameterHistoryCommand({ Name: '/a', WithDecryption: true })),
    disabled,
  )
  // Without the plain value it is there as before.
  assert.equal((await get('/a'))?.Type, 'SecureString')
  await kms.send(new EnableKeyCommand({ KeyId }))
  assert.equal((await get('/a', true))?.Value, 'secret')
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  await assert.rejects(get('/a', true), { ...invalid, message: /KMSInvalidStateException/ })
  // A type is for good.
  await assert.rejects(put('/a', 'x', { Type: 'String', Overwrite: true }), {
    name: 'HierarchyTypeMismatchException',
  })
})

test('a key of one’s own is to be allowed, the one of AWS is everybody’s', async (context) => {
  const { system, clients, kms, put } = await start(context)
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const { KeyId = '' } = KeyMetadata ?? {}
  await put('/own', 'secret', { KeyId })
  await put('/managed', 'secret')
  const ssmOnly = { ...allowAll, actions: ['ssm:*'] }
  const limited = clients(await system.settingsOf(accountId, [ssmOnly, ssmOnly]))
  assert.equal((await limited.get('/managed', true))?.Value, 'secret')
  await limited.put('/theirs', 'secret')
  const denied = { name: 'AccessDeniedException' }
  await assert.rejects(limited.put('/other', 'secret', { KeyId }), denied)
  await assert.rejects(limited.get('/own', true), denied)
  assert((await limited.get('/own'))?.Value)

  const described = await kms.send(new DescribeKeyCommand({ KeyId: 'alias/aws/ssm' }))
  const managed = described.KeyMetadata
  assert.deepEqual(
    [managed?.KeyManager, managed?.Description],
    ['AWS', 'Default key that protects my SSM parameters when no other key is defined'],
  )
  const policy = await kms.send(new GetKeyPolicyCommand({ KeyId: managed?.KeyId }))
  assert.match(policy.Policy ?? '', /"kms:ViaService": "ssm\./)
  // By its id it is the same key.
  await put('/by-id', 'secret', { KeyId: managed?.KeyId })
  assert.equal((await limited.get('/by-id', true))?.Value, 'secret')
})

test('no secret is in any file, row, log or trail', async (context) => {
  const { system, put, get } = await start(context)
  const secret = 'SECRET-PATTERN-of-a-parameter'
  await put('/app/password', secret)
  await put('/app/advanced', secret, { Tier: 'Advanced' })
  await put('/app/advanced', `${secret}-2`, { Overwrite: true })
  assert.equal((await get('/app/advanced', true))?.Value, `${secret}-2`)
  await assert.rejects(put('/app/password', secret, { KeyId: 'alias/none', Overwrite: true }))
  await assert.rejects(put('/app/password', secret, { AllowedPattern: '^\\d$', Overwrite: true }))
  // What is told of calls comes a little later.
  await system.until('the trail', async () => {
    const { rows } = await sql<{ all: number }>`
      SELECT COUNT(*) AS "all" FROM audit_events WHERE record LIKE '%ParameterPatternMismatch%'
    `.execute(system.db.reads)
    return Number(rows[0]?.all) > 0
  })
  const all = await readdir(system.dataFolder, { recursive: true, withFileTypes: true })
  let searched = 0
  for (const entry of all.filter((one) => one.isFile())) {
    const bytes = await readFile(join(entry.parentPath, entry.name))
    for (const form of ['latin1', 'hex', 'base64'] as const) {
      const shown = Buffer.from(secret).toString(form).slice(0, 30)
      assert(!bytes.includes(shown, 0, 'latin1'), entry.name)
    }
    if (bytes.includes('/app/password', 0, 'latin1')) searched++
  }
  assert(searched > 0)
})
