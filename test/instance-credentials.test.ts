/**
 * The credentials that an instance has of its role: the official client finds them by
 * itself in the metadata service, as it does on EC2. The instance of this test is at the
 * loopback, where its metadata is served.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'
import {
  AssociateIamInstanceProfileCommand,
  DescribeIamInstanceProfileAssociationsCommand,
  DescribeVpcsCommand,
  DisassociateIamInstanceProfileCommand,
  EC2Client,
  ReplaceIamInstanceProfileAssociationCommand,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2'
import {
  AddRoleToInstanceProfileCommand,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  DeleteInstanceProfileCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  PutRolePolicyCommand,
  RemoveRoleFromInstanceProfileCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { RoleCredentials } from '../src/imds/role-credentials.ts'
import { MetadataService } from '../src/imds/service.ts'
import type { Id } from '../src/lib/ids.ts'
import { sealerOf } from '../src/lib/seal.ts'
import { startWithUsers } from './iam-clients.ts'
import { lastFirst } from './last-first.ts'
import { putImage } from './rows.ts'
import { accountId, region } from './system.ts'

const opened = lastFirst()
const masterKey = new Uint8Array(32).fill(9)
const hourMs = 60 * 60 * 1000
const vpcs = new DescribeVpcsCommand({})
const denied = { name: 'UnauthorizedOperation' }
const invalid = { name: /AuthFailure|InvalidClientTokenId/ }

let world: Awaited<ReturnType<typeof startWithUsers>>
let InstanceId: Id<'instance'>
let vpcId: Id<'vpc'>
let metadata: string
/** How far the clock of the metadata service is ahead. */
let aheadMs = 0

before(async () => {
  world = await startWithUsers(opened, { masterKey })
  const { db } = world.system
  const { id: ImageId } = await putImage(db, { accountId, region }, { name: 'one' })
  for (const name of ['web', 'db']) await makeProfile(name)
  const { Instances: [made] = [] } = await world.admin.ec2.send(
    new RunInstancesCommand({
      ImageId,
      MinCount: 1,
      MaxCount: 1,
      InstanceType: 't3.nano',
      IamInstanceProfile: { Name: 'web' },
    }),
  )
  InstanceId = made?.InstanceId as Id<'instance'>
  vpcId = made?.VpcId as Id<'vpc'>
  await db.writes.updateTable('network_interfaces').set({ private_ip: '127.0.0.1' }).execute()
  await inState('running')

  const service = new MetadataService({
    db: db.reads,
    tokenKey: randomBytes(32),
    credentials: new RoleCredentials({ sealer: sealerOf(masterKey, randomBytes), randomBytes }),
    now: () => new Date(Date.now() + aheadMs),
    log: { info() {}, warn() {}, error: assert.fail },
  })
  const socket = createServer().listen(0, '127.0.0.1')
  await once(socket, 'listening')
  const address = socket.address()
  assert(address && typeof address === 'object')
  metadata = `http://127.0.0.1:${address.port}`
  service.serve(vpcId, socket)
  opened.after(() => service.close())
  // Where every client of the SDK looks last.
  process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = metadata
})
after(opened.end)

const statement = (Effect: string, Action: string, Condition = {}) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect, Action, Resource: '*', Condition },
  })
const trusting = (Service: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service } },
  })
async function makeProfile(name: string): Promise<void> {
  const { iam } = world.admin
  const AssumeRolePolicyDocument = trusting('ec2.amazonaws.com')
  await iam.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument }))
  await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: name }))
  const both = { InstanceProfileName: name, RoleName: name }
  await iam.send(new AddRoleToInstanceProfileCommand(both))
}
const putPolicy = (RoleName: string, PolicyName: string, PolicyDocument: string) =>
  world.admin.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument }))
const inState = (state: 'running' | 'terminated') =>
  world.system.db.writes.updateTable('instances').set({ state }).execute()

/** Clients as a program in the guest makes them: it knows the Region and where the API is. */
function clients() {
  const { endpoint } = world.system
  const settings = { endpoint, region, maxAttempts: 1 }
  const made = { ec2: new EC2Client(settings), sts: new STSClient(settings) }
  opened.after(() => Object.values(made).forEach((client) => client.destroy()))
  return made
}

async function read(path: string, isVersion1 = false): Promise<Response> {
  const ttl = { 'x-aws-ec2-metadata-token-ttl-seconds': '60' }
  const token = await fetch(`${metadata}/latest/api/token`, { method: 'PUT', headers: ttl })
  const headers = { 'x-aws-ec2-metadata-token': await token.text() }
  return await fetch(`${metadata}/latest/meta-data/${path}`, isVersion1 ? {} : { headers })
}
const readJson = async (path: string, isVersion1 = false) =>
  (await (await read(path, isVersion1)).json()) as Record<string, string>

const ofWeb = 'iam/security-credentials/web'
const arn = (name: string) => `arn:aws:iam::${accountId}:instance-profile/${name}`

test('an instance is told its profile, its role and where the API is', async () => {
  const info = await readJson('iam/info')
  assert.equal(info['Code'], 'Success')
  assert.equal(info['InstanceProfileArn'], arn('web'))
  assert.match(info['InstanceProfileId'] ?? '', /^AIPA/)
  assert.equal(await (await read('iam/')).text(), 'info\nsecurity-credentials/')
  assert.equal(await (await read('iam/security-credentials/')).text(), 'web')
  assert.equal((await read('iam/security-credentials/other')).status, 404)
  assert.equal(await (await read('services/endpoint')).text(), 'http://169.254.169.252')

  const found = await readJson(ofWeb)
  assert.deepEqual(Object.keys(found), [
    'Code',
    'LastUpdated',
    'Type',
    'AccessKeyId',
    'SecretAccessKey',
    'Token',
    'Expiration',
  ])
  assert.deepEqual([found['Code'], found['Type']], ['Success', 'AWS-HMAC'])
  assert.match(found['AccessKeyId'] ?? '', /^ASIA[A-Z2-7]{16}$/)
  assert.match(found['Expiration'] ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
})

test('the client finds them, and may do what the role may', async () => {
  const { ec2, sts } = clients()
  const { Arn, UserId } = await sts.send(new GetCallerIdentityCommand({}))
  assert.equal(Arn, `arn:aws:sts::${accountId}:assumed-role/web/${InstanceId}`)
  assert.match(UserId ?? '', new RegExp(`^AROA[A-Z2-7]{17}:${InstanceId}$`))
  await assert.rejects(ec2.send(vpcs), denied)
  await putPolicy('web', 'look', statement('Allow', 'ec2:Describe*'))
  await ec2.send(vpcs)
  await putPolicy('web', 'no', statement('Deny', 'ec2:DescribeVpcs'))
  await assert.rejects(ec2.send(vpcs), denied)
  const no = { RoleName: 'web', PolicyName: 'no' }
  await world.admin.iam.send(new DeleteRolePolicyCommand(no))
  await ec2.send(vpcs)
})

test('a policy can ask which instance it is, and by which version it got them', async () => {
  const { ec2 } = clients()
  const asks = async (keys: Record<string, string>) => {
    await putPolicy('web', 'look', statement('Allow', 'ec2:*', { StringEquals: keys }))
    return await ec2.send(vpcs).then(
      () => true,
      (error: Error) => error.name !== denied.name,
    )
  }
  const own = `arn:aws:ec2:${region}:${accountId}:instance/${InstanceId}`
  assert(await asks({ 'ec2:SourceInstanceARN': own, 'ec2:RoleDelivery': '2.0' }))
  assert(await asks({ 'aws:EC2InstanceSourceVPC': vpcId }))
  assert(await asks({ 'aws:EC2InstanceSourcePrivateIPv4': '127.0.0.1' }))
  assert(!(await asks({ 'ec2:SourceInstanceARN': `${own}0` })))
  assert(!(await asks({ 'ec2:RoleDelivery': '1.0' })))
  // It came from elsewhere than the VPC.
  assert(!(await asks({ 'aws:SourceVpc': vpcId })))

  const old = await readJson(ofWeb, true)
  assert.notEqual(old['AccessKeyId'], (await readJson(ofWeb))['AccessKeyId'])
  const { ec2: byVersion1 } = world.clientsOf({
    id: old['AccessKeyId'] ?? '',
    secret: old['SecretAccessKey'] ?? '',
    token: old['Token'] ?? '',
  })
  await putPolicy(
    'web',
    'look',
    statement('Allow', 'ec2:*', { NumericLessThan: { 'ec2:RoleDelivery': '2.0' } }),
  )
  await byVersion1.send(vpcs)
  await assert.rejects(ec2.send(vpcs), denied)
  await putPolicy('web', 'look', statement('Allow', 'ec2:Describe*'))
})

test('they stay the same for an hour, and are renewed long before they end', async () => {
  const first = await readJson(ofWeb)
  aheadMs = hourMs - 60_000
  assert.deepEqual(await readJson(ofWeb), first)
  aheadMs = hourMs + 60_000
  const second = await readJson(ofWeb)
  assert.notEqual(second['AccessKeyId'], first['AccessKeyId'])
  const overlapMs = Date.parse(first['Expiration'] ?? '') - Date.parse(second['LastUpdated'] ?? '')
  assert(overlapMs > 4.9 * hourMs, `${overlapMs}`)
  aheadMs = 0
  // The old ones are good as long as they were.
  const { ec2 } = world.clientsOf({
    id: first['AccessKeyId'] ?? '',
    secret: first['SecretAccessKey'] ?? '',
    token: first['Token'] ?? '',
  })
  await ec2.send(vpcs)
})

test('a role that does not trust EC2 is handed to no instance', async () => {
  const trust = (service: string) =>
    world.admin.iam.send(
      new UpdateAssumeRolePolicyCommand({ RoleName: 'web', PolicyDocument: trusting(service) }),
    )
  await trust('lambda.amazonaws.com')
  const refused = await readJson(ofWeb)
  assert.equal(refused['Code'], 'AssumeRoleUnauthorizedAccess')
  assert.match(refused['Message'] ?? '', /^EC2 cannot assume the role web\./)
  assert.equal(refused['AccessKeyId'], undefined)
  await assert.rejects(clients().sts.send(new GetCallerIdentityCommand({})))
  await trust('ec2.amazonaws.com')
  assert.equal((await readJson(ofWeb))['Code'], 'Success')
})

test('another profile brings another role, and none brings none', async () => {
  const { ec2 } = world.admin
  const find = async () => {
    const found = await ec2.send(new DescribeIamInstanceProfileAssociationsCommand({}))
    return found.IamInstanceProfileAssociations?.[0]?.AssociationId
  }
  const IamInstanceProfile = { Name: 'db' }
  await ec2.send(
    new ReplaceIamInstanceProfileAssociationCommand({
      AssociationId: await find(),
      IamInstanceProfile,
    }),
  )
  assert.equal((await readJson('iam/info'))['InstanceProfileArn'], arn('db'))
  assert.equal((await read(ofWeb)).status, 404)
  const { Arn } = await clients().sts.send(new GetCallerIdentityCommand({}))
  assert.match(Arn ?? '', /assumed-role\/db\//)

  await ec2.send(new DisassociateIamInstanceProfileCommand({ AssociationId: await find() }))
  assert.equal((await read('iam/info')).status, 404)
  assert.equal((await read('iam/security-credentials/')).status, 404)
  assert(!(await (await read('')).text()).split('\n').includes('iam/'))
  await ec2.send(new AssociateIamInstanceProfileCommand({ InstanceId, IamInstanceProfile }))
})

test('they end with the role, and the profile can go before the instance', async () => {
  const { iam } = world.admin
  await putPolicy('db', 'look', statement('Allow', 'ec2:Describe*'))
  const { ec2 } = clients()
  await ec2.send(vpcs)
  const both = { InstanceProfileName: 'db', RoleName: 'db' }
  await iam.send(new RemoveRoleFromInstanceProfileCommand(both))
  assert.equal((await read('iam/security-credentials/')).status, 404)
  await iam.send(new DeleteRolePolicyCommand({ RoleName: 'db', PolicyName: 'look' }))
  await iam.send(new DeleteRoleCommand({ RoleName: 'db' }))
  await assert.rejects(ec2.send(vpcs), invalid)
  await iam.send(new DeleteInstanceProfileCommand({ InstanceProfileName: 'db' }))
  // One by the same name is another.
  await makeProfile('db')
  assert.equal((await readJson('iam/info'))['Code'], 'InstanceProfileNotFound')
  assert.equal((await read('iam/security-credentials/db')).status, 404)
})

test('they end with the instance', async () => {
  const { ec2 } = world.admin
  const found = await ec2.send(new DescribeIamInstanceProfileAssociationsCommand({}))
  const AssociationId = found.IamInstanceProfileAssociations?.[0]?.AssociationId
  await ec2.send(
    new ReplaceIamInstanceProfileAssociationCommand({
      AssociationId,
      IamInstanceProfile: { Name: 'web' },
    }),
  )
  const { ec2: inside } = clients()
  await inside.send(vpcs)
  await inState('terminated')
  await assert.rejects(inside.send(vpcs), invalid)
})
