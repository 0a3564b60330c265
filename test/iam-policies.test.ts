/** What users may do by their policies, through the official clients. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CreateTagsCommand,
  DeregisterImageCommand,
  DescribeImagesCommand,
  DescribeVpcsCommand,
} from '@aws-sdk/client-ec2'
import {
  AttachUserPolicyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateUserCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DeleteUserPermissionsBoundaryCommand,
  DeleteUserPolicyCommand,
  DetachUserPolicyCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetUserPolicyCommand,
  ListAttachedUserPoliciesCommand,
  ListPoliciesCommand,
  ListPolicyVersionsCommand,
  ListUserPoliciesCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
  SetDefaultPolicyVersionCommand,
} from '@aws-sdk/client-iam'
import { DecodeAuthorizationMessageCommand } from '@aws-sdk/client-sts'
import { startWithUsers } from './iam-clients.ts'
import { accountId } from './system.ts'

const documentOf = (...statements: readonly object[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements })
const allow = (Action: string, Resource = '*') => ({ Effect: 'Allow', Action, Resource })
const deny = (Action: string) => ({ Effect: 'Deny', Action, Resource: '*' })
const gone = { name: 'NoSuchEntityException' }
const unauthorized = { name: 'UnauthorizedOperation' }
const UserName = 'alice'

test('an inline policy gives and takes at once, and a deny wins', async (context) => {
  const { admin, clientsOfUser } = await startWithUsers(context)
  const { iam } = admin
  await iam.send(new CreateUserCommand({ UserName }))
  const { ec2 } = await clientsOfUser(UserName)
  const vpcs = new DescribeVpcsCommand({})
  const put = (PolicyName: string, PolicyDocument: string) =>
    iam.send(new PutUserPolicyCommand({ UserName, PolicyName, PolicyDocument }))

  const document = documentOf(allow('ec2:Describe*'))
  await put('look', document)
  await ec2.send(vpcs)
  await put('not-there', documentOf(deny('ec2:DescribeVpcs')))
  await assert.rejects(ec2.send(vpcs), {
    ...unauthorized,
    message: /with an explicit deny in an identity-based policy/,
  })
  await ec2.send(new DescribeImagesCommand({}))

  const { PolicyNames } = await iam.send(new ListUserPoliciesCommand({ UserName }))
  assert.deepEqual(PolicyNames, ['look', 'not-there'])
  const look = { UserName, PolicyName: 'look' }
  const { PolicyDocument = '' } = await iam.send(new GetUserPolicyCommand(look))
  assert.equal(decodeURIComponent(PolicyDocument), document)
  assert.doesNotMatch(PolicyDocument, /[*"{}]/)
  await iam.send(new DeleteUserPolicyCommand(look))
  await assert.rejects(ec2.send(new DescribeImagesCommand({})), unauthorized)
  await assert.rejects(iam.send(new DeleteUserPolicyCommand(look)), gone)
  await assert.rejects(iam.send(new GetUserPolicyCommand(look)), gone)
  await assert.rejects(put('bad', '{"Statement":'), { name: 'MalformedPolicyDocumentException' })
  await assert.rejects(put('long', documentOf(allow('ec2:Describe*'.padEnd(2100, 'x')))), {
    name: 'LimitExceededException',
  })
})

test('a deny for one image holds in every call that names it', async (context) => {
  const { admin, clientsOfUser } = await startWithUsers(context)
  const { iam } = admin
  await iam.send(new CreateUserCommand({ UserName }))
  const { ec2 } = await clientsOfUser(UserName)
  const [kept, other] = ['ami-0123456789abcdef0', 'ami-0fedcba9876543210']
  const keep = { ...deny('ec2:*'), Resource: `arn:aws:ec2:*::image/${kept}` }
  const PolicyDocument = documentOf(allow('ec2:*'), keep)
  await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'keep', PolicyDocument }))
  const Tags = [{ Key: 'a', Value: 'b' }]
  for (const ImageId of [kept, other]) {
    const name = ImageId === kept ? 'UnauthorizedOperation' : 'InvalidAMIID.NotFound'
    await assert.rejects(ec2.send(new DeregisterImageCommand({ ImageId })), { name })
    await assert.rejects(ec2.send(new CreateTagsCommand({ Resources: [ImageId], Tags })), { name })
  }
  await assert.rejects(ec2.send(new DescribeImagesCommand({ ImageIds: [kept] })), {
    name: 'InvalidAMIID.NotFound',
  })
})

test('a managed policy counts by its default version', async (context) => {
  const { admin, clientsOfUser } = await startWithUsers(context)
  const { iam } = admin
  await iam.send(new CreateUserCommand({ UserName }))
  const { ec2 } = await clientsOfUser(UserName)
  const vpcs = new DescribeVpcsCommand({})
  const given = {
    PolicyName: 'look',
    Path: '/a/',
    Description: 'to look',
    PolicyDocument: documentOf(allow('ec2:Describe*')),
  }
  const { Policy } = await iam.send(new CreatePolicyCommand(given))
  const PolicyArn = Policy?.Arn ?? ''
  assert.equal(PolicyArn, `arn:aws:iam::${accountId}:policy/a/look`)
  await assert.rejects(iam.send(new CreatePolicyCommand(given)), {
    name: 'EntityAlreadyExistsException',
  })
  await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn }))
  await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn }))
  await ec2.send(vpcs)
  const found = await iam.send(new GetPolicyCommand({ PolicyArn }))
  assert.deepEqual([found.Policy?.AttachmentCount, found.Policy?.Description], [1, 'to look'])

  const nothing = { PolicyArn, PolicyDocument: documentOf(allow('ec2:DescribeImages')) }
  await iam.send(new CreatePolicyVersionCommand(nothing))
  await ec2.send(vpcs)
  await iam.send(new SetDefaultPolicyVersionCommand({ PolicyArn, VersionId: 'v2' }))
  await assert.rejects(ec2.send(vpcs), unauthorized)
  for (let count = 2; count < 5; count++) await iam.send(new CreatePolicyVersionCommand(nothing))
  await assert.rejects(iam.send(new CreatePolicyVersionCommand(nothing)), {
    name: 'LimitExceededException',
  })
  const { Versions } = await iam.send(new ListPolicyVersionsCommand({ PolicyArn }))
  const named = Versions?.map(({ VersionId, IsDefaultVersion }) => [VersionId, IsDefaultVersion])
  assert.deepEqual(named, [
    ['v5', false],
    ['v4', false],
    ['v3', false],
    ['v2', true],
    ['v1', false],
  ])
  const first = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: 'v1' }))
  assert.equal(decodeURIComponent(first.PolicyVersion?.Document ?? ''), given.PolicyDocument)
  const ofDefault = { PolicyArn, VersionId: 'v2' }
  const conflict = { name: 'DeleteConflictException' }
  await assert.rejects(iam.send(new DeletePolicyVersionCommand(ofDefault)), conflict)
  await assert.rejects(iam.send(new DeletePolicyCommand({ PolicyArn })), conflict)
  await iam.send(new DetachUserPolicyCommand({ UserName, PolicyArn }))
  await assert.rejects(iam.send(new DetachUserPolicyCommand({ UserName, PolicyArn })), gone)
  await assert.rejects(iam.send(new DeletePolicyCommand({ PolicyArn })), conflict)
  for (const VersionId of ['v1', 'v3', 'v4', 'v5']) {
    await iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId }))
  }
  await iam.send(new DeletePolicyCommand({ PolicyArn }))
  await assert.rejects(iam.send(new GetPolicyCommand({ PolicyArn })), gone)
  await assert.rejects(iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn })), gone)
  const none = { UserName, PolicyArn: 'arn:aws:iam::aws:policies/none' }
  await assert.rejects(iam.send(new AttachUserPolicyCommand(none)), {
    name: 'ValidationError',
    message: `ARN ${none.PolicyArn} is not valid.`,
  })
})

test('the policy of administrators is there for all, and nobody changes it', async (context) => {
  const { admin, clientsOfUser } = await startWithUsers(context)
  const { iam } = admin
  await iam.send(new CreateUserCommand({ UserName }))
  const alice = await clientsOfUser(UserName)
  const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess'
  await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn }))
  await alice.iam.send(new CreateUserCommand({ UserName: 'bob' }))
  const { AttachedPolicies } = await alice.iam.send(
    new ListAttachedUserPoliciesCommand({ UserName }),
  )
  assert.deepEqual(AttachedPolicies, [{ PolicyArn, PolicyName: 'AdministratorAccess' }])
  const attached = await iam.send(new ListPoliciesCommand({ OnlyAttached: true }))
  assert.deepEqual(
    attached.Policies?.map(({ Arn }) => Arn),
    [PolicyArn],
  )
  await assert.rejects(alice.iam.send(new DeletePolicyCommand({ PolicyArn })), {
    name: 'AccessDenied',
  })

  // A boundary gives nothing, and lets through only what it allows, too.
  const { Policy } = await iam.send(
    new CreatePolicyCommand({
      PolicyName: 'edge',
      PolicyDocument: documentOf(allow('ec2:*'), allow('iam:*')),
    }),
  )
  const PermissionsBoundary = Policy?.Arn ?? ''
  await iam.send(new PutUserPermissionsBoundaryCommand({ UserName, PermissionsBoundary }))
  await alice.ec2.send(new DescribeVpcsCommand({}))
  const decode = new DecodeAuthorizationMessageCommand({ EncodedMessage: 'AAAA' })
  await assert.rejects(alice.sts.send(decode), {
    name: 'AccessDenied',
    message: /because no permissions boundary allows the sts:DecodeAuthorizationMessage action/,
  })
  await assert.rejects(iam.send(new DeletePolicyCommand({ PolicyArn: PermissionsBoundary })), {
    name: 'DeleteConflictException',
  })
  await iam.send(new DeleteUserPermissionsBoundaryCommand({ UserName }))
  await assert.rejects(iam.send(new DeleteUserPermissionsBoundaryCommand({ UserName })), gone)
  await iam.send(new DeletePolicyCommand({ PolicyArn: PermissionsBoundary }))
})

test('who may attach only one policy attaches no other', async (context) => {
  const { admin, clientsOfUser } = await startWithUsers(context)
  const { iam } = admin
  for (const name of [UserName, 'bob']) await iam.send(new CreateUserCommand({ UserName: name }))
  const bob = await clientsOfUser('bob')
  const { Policy } = await iam.send(
    new CreatePolicyCommand({
      PolicyName: 'look',
      PolicyDocument: documentOf(allow('ec2:Describe*')),
    }),
  )
  const PolicyArn = Policy?.Arn ?? ''
  const only = {
    ...allow('iam:AttachUserPolicy'),
    Condition: { ArnEquals: { 'iam:PolicyARN': PolicyArn } },
  }
  await iam.send(
    new PutUserPolicyCommand({
      UserName: 'bob',
      PolicyName: 'hand-out',
      PolicyDocument: documentOf(only),
    }),
  )
  await bob.iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn }))
  const all = 'arn:aws:iam::aws:policy/AdministratorAccess'
  await assert.rejects(
    bob.iam.send(new AttachUserPolicyCommand({ UserName: 'bob', PolicyArn: all })),
    {
      name: 'AccessDenied',
    },
  )
})
