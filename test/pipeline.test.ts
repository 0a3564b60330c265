/** What every call goes through, seen by real clients: signatures, errors, dry runs, tokens, pages. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CreateImageCommand,
  CreateSecurityGroupCommand,
  CreateVolumeCommand,
  DescribeRegionsCommand,
  DescribeVolumesCommand,
  type EC2Client,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { HttpRequest } from '@smithy/core/protocols'
import { SignatureV4 } from '@smithy/signature-v4'
import { Sha256 } from '../src/cli/sha256.ts'
import { databases } from './databases.ts'
import { accountId, region, startSystem, type TestSystem } from './system.ts'

const databaseNames = Object.keys(databases) as (keyof typeof databases)[]

const idle = { isIdle: true } as const

/** Sends the bytes of a call as some client signed them, and gives status and text. */
async function call(
  system: TestSystem,
  parameters: Record<string, string>,
  sign: { at?: Date; service?: string; region?: string; presigned?: boolean; id?: string } = {},
): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(system.endpoint)
  const { rootKey } = system.imago
  const signer = new SignatureV4({
    service: sign.service ?? 'ec2',
    region: sign.region ?? region,
    sha256: Sha256,
    credentials: {
      accessKeyId: sign.id ?? rootKey.id,
      secretAccessKey: rootKey.secret.reveal(),
    },
  })
  const all = { Version: '2016-11-15', ...parameters }
  const headers = { host: `${hostname}:${port}` }
  const when = sign.at ? { signingDate: sign.at } : {}
  if (sign.presigned) {
    const request = new HttpRequest({ method: 'GET', hostname, path: '/', query: all, headers })
    const { query } = await signer.presign(request, { expiresIn: 60, ...when })
    const search = new URLSearchParams(query as Record<string, string>).toString()
    const answer = await fetch(`${system.endpoint}/?${search}`)
    return { status: answer.status, text: await answer.text() }
  }
  const body = new URLSearchParams(all).toString()
  const form = { ...headers, 'content-type': 'application/x-www-form-urlencoded' }
  const request = new HttpRequest({ method: 'POST', hostname, path: '/', headers: form, body })
  const signed = await signer.sign(request, when)
  const answer = await fetch(system.endpoint, { method: 'POST', headers: signed.headers, body })
  return { status: answer.status, text: await answer.text() }
}

const byText = (a = '', b = '') => (a < b ? -1 : 1)

const codeOf = (text: string) => /<Code>([^<]+)<\/Code>/.exec(text)?.[1]

for (const database of databaseNames) {
  test(`the same call with the same token is one call (${database})`, async (context) => {
    const system = await startSystem(context, { ...idle, database })
    const input = { AvailabilityZone: 'us-east-1a', Size: 1, ClientToken: 'once' }
    const [first, second] = await Promise.all([
      system.ec2.send(new CreateVolumeCommand(input)),
      system.ec2.send(new CreateVolumeCommand(input)),
    ])
    assert.equal(first.VolumeId, second.VolumeId)
    assert.notEqual(first.$metadata.requestId, second.$metadata.requestId)
    const { Volumes } = await system.ec2.send(new DescribeVolumesCommand({}))
    assert.equal(Volumes?.length, 1)

    const other = new CreateVolumeCommand({ ...input, Size: 2 })
    await assert.rejects(system.ec2.send(other), { name: 'IdempotentParameterMismatch' })

    // Another account's token of the same name is another token.
    const theirs = await system.client('111111111111')
    const mine = await theirs.send(new CreateVolumeCommand({ ...input, Size: 2 }))
    assert.notEqual(mine.VolumeId, first.VolumeId)
  })

  test(`a call that is refused leaves its token free (${database})`, async (context) => {
    const system = await startSystem(context, { ...idle, database })
    const input = { AvailabilityZone: 'us-east-1z', Size: 1, ClientToken: 'again' }
    await assert.rejects(system.ec2.send(new CreateVolumeCommand(input)), {
      name: 'InvalidZone.NotFound',
    })
    const right = { ...input, AvailabilityZone: 'us-east-1a' }
    assert((await system.ec2.send(new CreateVolumeCommand(right))).VolumeId)
  })
}

test('who calls is told to everybody, whatever one may do', async (context) => {
  const system = await startSystem(context, idle)
  const { id, secret } = system.imago.rootKey
  const sts = new STSClient({
    endpoint: system.endpoint,
    region,
    credentials: { accessKeyId: id, secretAccessKey: secret.reveal() },
  })
  context.after(() => sts.destroy())
  const identity = await sts.send(new GetCallerIdentityCommand({}))
  assert.equal(identity.Account, accountId)
  assert.equal(identity.Arn, `arn:aws:iam::${accountId}:user/admin`)
})

test('the Region is that of the signature, and one of the installation', async (context) => {
  const system = await startSystem(context, idle)
  const west = system.clientWith({ region: 'us-west-2' })
  await system.ec2.send(new CreateVolumeCommand({ AvailabilityZone: 'us-east-1a', Size: 1 }))
  assert.deepEqual((await west.send(new DescribeVolumesCommand({}))).Volumes, [])
  const { Regions = [] } = await west.send(new DescribeRegionsCommand({}))
  assert.deepEqual(Regions.map(({ RegionName }) => RegionName).toSorted(byText), [
    'eu-west-1',
    'us-east-1',
    'us-west-2',
  ])
  const nowhere = system.clientWith({ region: 'ap-south-1' })
  await assert.rejects(nowhere.send(new DescribeVolumesCommand({})), { name: 'AuthFailure' })
})

test('a request is refused for who signed it before anything else', async (context) => {
  const system = await startSystem(context, idle)
  const broken = { Action: 'NoSuchAction' }
  const codes = async (...args: Parameters<typeof call>) => {
    const { status, text } = await call(...args)
    return [status, codeOf(text)]
  }
  const minutes = (count: number) => new Date(Date.now() + count * 60_000)
  assert.deepEqual(await codes(system, broken), [400, 'InvalidAction'])
  assert.deepEqual(await codes(system, broken, { id: 'AKIANOBODY' }), [403, 'InvalidClientTokenId'])
  assert.deepEqual(await codes(system, broken, { at: minutes(-16) }), [400, 'RequestExpired'])
  assert.deepEqual(await codes(system, broken, { at: minutes(16) }), [400, 'RequestExpired'])
  assert.deepEqual(await codes(system, broken, { service: 's3' }), [403, 'SignatureDoesNotMatch'])
  const unsigned = await fetch(system.endpoint, { method: 'POST', body: 'Action=DescribeRegions' })
  assert.equal(unsigned.status, 403)
  assert.equal(codeOf(await unsigned.text()), 'MissingAuthenticationToken')
})

test('a presigned address is good for as long as it says', async (context) => {
  const system = await startSystem(context, idle)
  const action = { Action: 'DescribeRegions' }
  const good = await call(system, action, { presigned: true })
  assert.equal(good.status, 200)
  assert.match(good.text, /<regionName>us-east-1<\/regionName>/)
  const late = new Date(Date.now() - 120_000)
  const expired = await call(system, action, { presigned: true, at: late })
  assert.equal(codeOf(expired.text), 'RequestExpired')
})

test('what is not built refuses by its name, and what does not exist says so', async (context) => {
  const system = await startSystem(context, idle)
  const known = await call(system, {
    Action: 'CreateVpnConnection',
    CustomerGatewayId: 'x',
    Type: 'y',
  })
  assert.equal(codeOf(known.text), 'UnsupportedOperation')
  assert.match(known.text, /CreateVpnConnection/)
  const none = await call(system, { Action: 'MakeCoffee' })
  assert.equal(codeOf(none.text), 'InvalidAction')
  const old = await call(system, { Action: 'DescribeRegions', Version: '2006-01-01' })
  assert.equal(codeOf(old.text), 'NoSuchVersion')
})

test('a request that is wrong in form gets one clear error', async (context) => {
  const system = await startSystem(context, idle)
  const code = async (parameters: Record<string, string>) =>
    codeOf((await call(system, parameters)).text)
  assert.equal(await code({ Action: 'DescribeImages', Colour: 'red' }), 'UnknownParameter')
  assert.equal(await code({ Action: 'AttachVolume', Device: '/dev/sdf' }), 'MissingParameter')
  assert.equal(
    await code({ Action: 'RunInstances', ImageId: 'ami-1', MinCount: 'one', MaxCount: '1' }),
    'InvalidParameterValue',
  )
  assert.equal(
    await code({ Action: 'DescribeImages', 'ImageId.1': 'not-an-id' }),
    'InvalidAMIID.Malformed',
  )
  const untagged = await call(system, { Action: 'CreateTags', 'Tag.1.Key': 'a' })
  assert.match(untagged.text, /must contain the parameter resourceIdSet</)
  const tooLong = await fetch(system.endpoint, { method: 'POST', body: 'a'.repeat(2 ** 20 + 1) })
  assert.equal(tooLong.status, 413)
  assert.equal(codeOf(await tooLong.text()), 'RequestEntityTooLarge')
})

test('a missing parameter is found before a dry run succeeds', async (context) => {
  const system = await startSystem(context, idle)
  const missing = await call(system, { Action: 'CreateImage', DryRun: 'true', Name: 'x' })
  assert.equal(codeOf(missing.text), 'MissingParameter')
  const whole = new CreateImageCommand({ InstanceId: 'i-12345678', Name: 'abc', DryRun: true })
  await assert.rejects(system.ec2.send(whole), {
    name: 'DryRunOperation',
    message: 'Request would have succeeded, but DryRun flag is set.',
  })
})

test('a long list comes in pages that leave nothing out, and tokens are checked', async (context) => {
  const system = await startSystem(context, idle)
  for (let index = 0; index < 12; index++) {
    await system.ec2.send(new CreateVolumeCommand({ AvailabilityZone: 'us-east-1a', Size: 1 }))
  }
  const seen: (string | undefined)[] = []
  let NextToken: string | undefined
  do {
    const page = await system.ec2.send(
      new DescribeVolumesCommand({ MaxResults: 5, ...(NextToken && { NextToken }) }),
    )
    assert((page.Volumes ?? []).length <= 5)
    seen.push(...(page.Volumes ?? []).map(({ VolumeId }) => VolumeId))
    NextToken = page.NextToken
  } while (NextToken)
  assert.equal(new Set(seen).size, 12)
  await assert.rejects(
    system.ec2.send(new DescribeVolumesCommand({ MaxResults: 5, NextToken: 'nonsense' })),
    /NextToken/,
  )
})

test('filters match with wildcards, and an unknown one is refused', async (context) => {
  const system = await startSystem(context, idle)
  const make = (Size: number, name: string) =>
    system.ec2.send(
      new CreateVolumeCommand({
        AvailabilityZone: 'us-east-1a',
        Size,
        TagSpecifications: [{ ResourceType: 'volume', Tags: [{ Key: 'Name', Value: name }] }],
      }),
    )
  await make(1, 'alpha')
  await make(2, 'beta')
  const sizes = async (Name: string, ...Values: string[]) => {
    const { Volumes = [] } = await system.ec2.send(
      new DescribeVolumesCommand({ Filters: [{ Name, Values }] }),
    )
    return Volumes.map(({ Size = 0 }) => Size).toSorted((a, b) => a - b)
  }
  assert.deepEqual(await sizes('tag:Name', 'a*'), [1])
  assert.deepEqual(await sizes('tag:Name', '?eta', 'alpha'), [1, 2])
  assert.deepEqual(await sizes('tag:Name', 'Alpha'), [])
  assert.deepEqual(await sizes('size', '2'), [2])
  await assert.rejects(sizes('colour', 'red'), {
    name: 'InvalidParameterValue',
    message: "The filter 'colour' is invalid",
  })
})

test('tags at creation are for what the call creates', async (context) => {
  const system = await startSystem(context, idle)
  const wrong = new CreateSecurityGroupCommand({
    GroupName: 'web',
    Description: 'web',
    TagSpecifications: [{ ResourceType: 'volume', Tags: [{ Key: 'a', Value: 'b' }] }],
  })
  await assert.rejects(system.ec2.send(wrong), {
    name: 'InvalidParameterValue',
    message: "'volume' is not a valid taggable resource type for this operation.",
  })
})

test('a client of another account sees nothing of this one', async (context) => {
  const system = await startSystem(context, idle)
  const { VolumeId } = await system.ec2.send(
    new CreateVolumeCommand({ AvailabilityZone: 'us-east-1a', Size: 1 }),
  )
  const other: EC2Client = await system.client('222222222222')
  await assert.rejects(other.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId ?? ''] })), {
    name: 'InvalidVolume.NotFound',
  })
  await assert.rejects(
    other.send(new RunInstancesCommand({ ImageId: 'ami-12345678', MinCount: 1, MaxCount: 1 })),
    { name: 'InvalidAMIID.NotFound' },
  )
})
