/** Roles and sessions, through the official clients. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import { CreateKeyPairCommand, DescribeVpcsCommand } from '@aws-sdk/client-ec2'
import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DeleteUserPolicyCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  ListRolesCommand,
  ListUsersCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateRoleCommand,
} from '@aws-sdk/client-iam'
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts'
import { makeSession } from '../src/iam/session.ts'
import { sealerOf } from '../src/lib/seal.ts'
import { startWithUsers } from './iam-clients.ts'
import { accountId } from './system.ts'

const documentOf = (...statements: readonly object[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements })
const allow = (Action: string, Resource = '*') => ({ Effect: 'Allow', Action, Resource })
const trust = (AWS: string, Condition?: object) =>
  documentOf({ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS }, Condition })
const RoleName = 'builder'
const RoleArn = `arn:aws:iam::${accountId}:role/${RoleName}`
const RoleSessionName = 'today'
const denied = { name: 'AccessDenied' }
const vpcs = new DescribeVpcsCommand({})
const whoAmI = new GetCallerIdentityCommand({})

test('a role is made, changed and deleted', async (context) => {
  const { admin } = await startWithUsers(context)
  const { iam } = admin
  const AssumeRolePolicyDocument = trust(accountId)
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }))
  assert.deepEqual([Role?.Arn, Role?.MaxSessionDuration], [RoleArn, 3600])
  assert.equal(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ''), AssumeRolePolicyDocument)
  await assert.rejects(
    iam.send(new CreateRoleCommand({ RoleName: 'BUILDER', AssumeRolePolicyDocument })),
    { name: 'EntityAlreadyExistsException' },
  )
  const bad = { RoleName: 'bad', AssumeRolePolicyDocument: documentOf(allow('sts:AssumeRole')) }
  await assert.rejects(iam.send(new CreateRoleCommand(bad)), {
    name: 'MalformedPolicyDocumentException',
  })
  await assert.rejects(iam.send(new GetRoleCommand({ RoleName: 'r'.repeat(65) })), {
    name: 'ValidationError',
    message: /'roleName' failed .* Member must have length less than or equal to 64$/,
  })
  const change = { RoleName, Description: 'builds', MaxSessionDuration: 7200 }
  await iam.send(new UpdateRoleCommand(change))
  await assert.rejects(iam.send(new UpdateRoleCommand({ RoleName, MaxSessionDuration: 1 })), {
    name: 'ValidationError',
  })
  const { Role: found } = await iam.send(new GetRoleCommand({ RoleName }))
  assert.deepEqual([found?.Description, found?.MaxSessionDuration], ['builds', 7200])
  assert.equal((await iam.send(new ListRolesCommand({}))).Roles?.length, 1)
  const inline = { RoleName, PolicyName: 'all' }
  await iam.send(new PutRolePolicyCommand({ ...inline, PolicyDocument: documentOf(allow('*')) }))
  await assert.rejects(iam.send(new DeleteRoleCommand({ RoleName })), {
    name: 'DeleteConflictException',
  })
  await iam.send(new DeleteRolePolicyCommand(inline))
  await iam.send(new DeleteRoleCommand({ RoleName }))
  await assert.rejects(iam.send(new GetRoleCommand({ RoleName })), {
    name: 'NoSuchEntityException',
  })
})

test('who is trusted with a role may do what the role may, and no more', async (context) => {
  const { admin, clientsOf, clientsOfUser, system } = await startWithUsers(context)
  const { iam } = admin
  await iam.send(new CreateUserCommand({ UserName: 'alice' }))
  const alice = await clientsOfUser('alice')
  await iam.send(
    new CreateRoleCommand({
      RoleName,
      AssumeRolePolicyDocument: trust(`arn:aws:iam::${accountId}:user/alice`),
    }),
  )
  const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess'
  await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }))
  const take = async (sts: STSClient, more: Partial<AssumeRoleCommandInput> = {}) => {
    const given = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName, ...more }))
    const {
      AccessKeyId: id = '',
      SecretAccessKey: secret = '',
      SessionToken = '',
    } = given.Credentials ?? {}
    return { id, secret, token: SessionToken, expires: given.Credentials?.Expiration }
  }

  const taken = await take(alice.sts)
  assert.match(taken.id, /^ASIA[A-Z2-7]{16}$/)
  const builder = clientsOf(taken)
  const { Arn, UserId = '' } = await builder.sts.send(whoAmI)
  assert.equal(Arn, `arn:aws:sts::${accountId}:assumed-role/${RoleName}/${RoleSessionName}`)
  assert.match(UserId, /^AROA[A-Z2-7]{17}:today$/)
  await builder.ec2.send(vpcs)
  await builder.iam.send(new ListUsersCommand({}))
  await assert.rejects(alice.ec2.send(vpcs), { name: 'UnauthorizedOperation' })
  const { Account } = await admin.sts.send(new GetAccessKeyInfoCommand({ AccessKeyId: taken.id }))
  assert.equal(Account, accountId)

  // Key, secret and token belong together.
  const invalid = { name: 'InvalidClientTokenId' }
  const other = await take(alice.sts)
  const { id, secret, token } = taken
  const changed = `${token.slice(0, 40)}${token[40] === 'A' ? 'B' : 'A'}${token.slice(41)}`
  await assert.rejects(clientsOf({ id, secret }).sts.send(whoAmI), invalid)
  await assert.rejects(clientsOf({ id, secret, token: other.token }).sts.send(whoAmI), invalid)
  await assert.rejects(
    clientsOf({ id: alice.id, secret: alice.secret, token }).sts.send(whoAmI),
    invalid,
  )
  await assert.rejects(clientsOf({ id, secret, token: changed }).sts.send(whoAmI), invalid)
  await assert.rejects(clientsOf({ id, secret: other.secret, token }).sts.send(whoAmI), {
    name: 'SignatureDoesNotMatch',
  })

  // The policies of a session take away, and give nothing.
  const narrow = clientsOf(await take(alice.sts, { Policy: documentOf(allow('ec2:Describe*')) }))
  await narrow.ec2.send(vpcs)
  await assert.rejects(narrow.ec2.send(new CreateKeyPairCommand({ KeyName: 'k' })), {
    name: 'UnauthorizedOperation',
    message: /because no session policy allows the ec2:CreateKeyPair action/,
  })
  await assert.rejects(take(alice.sts, { Policy: '{}' }), {
    name: 'MalformedPolicyDocumentException',
  })
  for (const seconds of [899, 3601]) {
    await assert.rejects(take(alice.sts, { DurationSeconds: seconds }), { name: 'ValidationError' })
  }
  for (const [session, message] of [
    ['a', /Member must have length greater than or equal to 2$/],
    ['a'.repeat(65), /Member must have length less than or equal to 64$/],
    ['a b', /Member must satisfy regular expression pattern/],
  ] as const) {
    const wrong = take(alice.sts, { RoleSessionName: session })
    await assert.rejects(wrong, { name: 'ValidationError', message })
  }
  await assert.rejects(take(alice.sts, { SourceIdentity: 'alice' }), {
    name: 'UnsupportedOperation',
  })

  // Others are told the same of a role that is there and of one that is not.
  const theirs = new STSClient(await system.settingsOf('222222222222'))
  context.after(() => theirs.destroy())
  await assert.rejects(take(theirs), denied)
  await assert.rejects(take(theirs, { RoleArn: `${RoleArn}s` }), denied)
  await assert.rejects(take(admin.sts, { RoleArn: `${RoleArn}s` }), denied)
  const fromOutside = trust('222222222222', { StringEquals: { 'sts:ExternalId': 'agreed' } })
  const change = { RoleName, PolicyDocument: fromOutside }
  await iam.send(new UpdateAssumeRolePolicyCommand(change))
  await assert.rejects(take(alice.sts), denied)
  await assert.rejects(take(theirs), denied)
  const outside = clientsOf(await take(theirs, { ExternalId: 'agreed' }))
  assert.equal((await outside.sts.send(whoAmI)).Account, accountId)
  const trail = new CloudTrailClient(system.settingsWith())
  context.after(() => trail.destroy())
  await system.until('the owner of the role hears who has taken it', async () => {
    const LookupAttributes = [{ AttributeKey: 'EventName' as const, AttributeValue: 'AssumeRole' }]
    const { Events = [] } = await trail.send(new LookupEventsCommand({ LookupAttributes }))
    return Events.some(({ CloudTrailEvent = '' }) =>
      CloudTrailEvent.includes('"accountId":"222222222222"'),
    )
  })

  // What the role loses, its sessions lose; and they end with it.
  await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }))
  await assert.rejects(builder.ec2.send(vpcs), { name: 'UnauthorizedOperation' })
  await iam.send(new DeleteRoleCommand({ RoleName }))
  await assert.rejects(builder.sts.send(whoAmI), invalid)
})

test("a user's session does what the user may, but for IAM", async (context) => {
  const { admin, clientsOf, clientsOfUser } = await startWithUsers(context)
  const UserName = 'alice'
  await admin.iam.send(new CreateUserCommand({ UserName }))
  const policy = { UserName, PolicyName: 'all' }
  await admin.iam.send(
    new PutUserPolicyCommand({ ...policy, PolicyDocument: documentOf(allow('*')) }),
  )
  const alice = await clientsOfUser(UserName)
  const { Credentials } = await alice.sts.send(new GetSessionTokenCommand({}))
  const {
    AccessKeyId: id = '',
    SecretAccessKey: secret = '',
    SessionToken: token = '',
  } = Credentials ?? {}
  const session = clientsOf({ id, secret, token })
  assert.equal((await session.sts.send(whoAmI)).Arn, `arn:aws:iam::${accountId}:user/alice`)
  await session.ec2.send(vpcs)
  await assert.rejects(session.iam.send(new ListUsersCommand({})), denied)
  await assert.rejects(session.sts.send(new GetSessionTokenCommand({})), denied)
  const withoutFactor = {
    ...allow('*'),
    Effect: 'Deny',
    Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'false' } },
  }
  const PolicyDocument = documentOf(allow('*'), withoutFactor)
  await admin.iam.send(new PutUserPolicyCommand({ ...policy, PolicyDocument }))
  await alice.ec2.send(vpcs)
  await assert.rejects(session.ec2.send(vpcs), { name: 'UnauthorizedOperation' })
  await admin.iam.send(new DeleteUserPolicyCommand(policy))
  await assert.rejects(session.ec2.send(vpcs), { name: 'UnauthorizedOperation' })
})

test('credentials that have expired are refused as such', async (context) => {
  const masterKey = new Uint8Array(32).fill(7)
  const { admin, clientsOf } = await startWithUsers(context, { masterKey })
  const AssumeRolePolicyDocument = trust(accountId)
  const { Role } = await admin.iam.send(
    new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }),
  )
  const randomBytes = (count: number) => crypto.getRandomValues(new Uint8Array(count))
  const ending = (expiresAtMs: number) => {
    const session = {
      accountId,
      entityId: Role?.RoleId ?? '',
      name: RoleSessionName,
      issuedAtMs: 0,
      expiresAtMs,
      policy: undefined,
      policyArns: [],
    }
    const made = makeSession(session, { randomBytes, sealer: sealerOf(masterKey, randomBytes) })
    return clientsOf({
      id: made.AccessKeyId,
      secret: made.SecretAccessKey,
      token: made.SessionToken,
    })
  }
  await ending(Date.now() + 60_000).sts.send(whoAmI)
  await assert.rejects(ending(Date.now() - 1).sts.send(whoAmI), {
    name: 'ExpiredToken',
    message: 'The security token included in the request is expired',
  })
})
