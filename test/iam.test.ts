/** Users, their keys and what they may do, through the official clients. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DescribeImagesCommand, DescribeVpcsCommand } from '@aws-sdk/client-ec2'
import {
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  GetAccessKeyLastUsedCommand,
  GetUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListUsersCommand,
  UpdateAccessKeyCommand,
  UpdateUserCommand,
} from '@aws-sdk/client-iam'
import {
  DecodeAuthorizationMessageCommand,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts'
import { startWithUsers } from './iam-clients.ts'
import { accountId } from './system.ts'

test('a user is made, found, renamed and deleted', async (context) => {
  const { admin } = await startWithUsers(context)
  const { iam } = admin
  const { User } = await iam.send(new CreateUserCommand({ UserName: 'Alice', Path: '/teams/' }))
  assert.equal(User?.Arn, `arn:aws:iam::${accountId}:user/teams/Alice`)
  assert.match(User.UserId ?? '', /^AIDA[A-Z2-7]{17}$/)
  await assert.rejects(iam.send(new CreateUserCommand({ UserName: 'alice' })), {
    name: 'EntityAlreadyExistsException',
  })
  await assert.rejects(iam.send(new CreateUserCommand({ UserName: 'a b' })), {
    name: 'ValidationError',
  })
  await iam.send(new CreateUserCommand({ UserName: 'bob' }))
  await assert.rejects(iam.send(new UpdateUserCommand({ UserName: 'bob', NewUserName: 'ALICE' })), {
    name: 'EntityAlreadyExistsException',
  })
  await iam.send(new UpdateUserCommand({ UserName: 'Alice', NewUserName: 'Zoe', NewPath: '/' }))
  const found = await iam.send(new GetUserCommand({ UserName: 'zoe' }))
  assert.equal(found.User?.UserId, User.UserId)
  assert.equal(found.User?.UserName, 'Zoe')

  const first = await iam.send(new ListUsersCommand({ MaxItems: 1 }))
  assert.deepEqual([first.IsTruncated, first.Users?.map((user) => user.UserName)], [true, ['bob']])
  const { Marker } = first
  const second = await iam.send(new ListUsersCommand({ Marker }))
  assert.deepEqual([second.IsTruncated, second.Users?.[0]?.UserName], [false, 'Zoe'])
  await assert.rejects(iam.send(new ListUsersCommand({ Marker: 'x' })), { name: 'ValidationError' })
  await assert.rejects(iam.send(new ListUsersCommand({ MaxItems: 1001 })), {
    name: 'ValidationError',
  })

  await iam.send(new DeleteUserCommand({ UserName: 'Zoe' }))
  await assert.rejects(iam.send(new GetUserCommand({ UserName: 'Zoe' })), {
    name: 'NoSuchEntityException',
    message: 'The user with name Zoe cannot be found.',
  })
})

test('a user has two keys at most, and each works from its making to its end', async (context) => {
  const { admin, system, clientsOfUser } = await startWithUsers(context)
  const { iam } = admin
  const UserName = 'alice'
  await iam.send(new CreateUserCommand({ UserName }))
  const alice = await clientsOfUser(UserName)
  const who = await alice.sts.send(new GetCallerIdentityCommand({}))
  assert.equal(who.Arn, `arn:aws:iam::${accountId}:user/alice`)
  const unused = await clientsOfUser(UserName)
  await assert.rejects(clientsOfUser(UserName), { name: 'LimitExceededException' })

  const AccessKeyId = alice.id
  const { AccessKeyLastUsed: used } = await iam.send(
    new GetAccessKeyLastUsedCommand({ AccessKeyId }),
  )
  assert.deepEqual([used?.ServiceName, used?.Region], ['sts', 'us-east-1'])
  const other = await iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: unused.id }))
  assert.equal(other.AccessKeyLastUsed?.ServiceName, 'N/A')

  await iam.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId, Status: 'Inactive' }))
  const invalid = { name: 'InvalidClientTokenId' }
  await assert.rejects(alice.sts.send(new GetCallerIdentityCommand({})), invalid)
  const { AccessKeyMetadata: keys } = await iam.send(new ListAccessKeysCommand({ UserName }))
  const statuses = new Map(keys?.map((key) => [key.AccessKeyId, key.Status]))
  assert.deepEqual([statuses.get(alice.id), statuses.get(unused.id)], ['Inactive', 'Active'])
  await iam.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId, Status: 'Active' }))
  await alice.sts.send(new GetCallerIdentityCommand({}))

  await assert.rejects(iam.send(new DeleteUserCommand({ UserName })), {
    name: 'DeleteConflictException',
    message: 'Cannot delete entity, must delete access keys first.',
  })
  await iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId }))
  await assert.rejects(alice.sts.send(new GetCallerIdentityCommand({})), invalid)
  await assert.rejects(iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId })), {
    name: 'NoSuchEntityException',
  })
  // A key of somebody else's account is none of theirs.
  const theirs = new IAMClient(await system.settingsOf('222222222222'))
  context.after(() => theirs.destroy())
  await assert.rejects(theirs.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: unused.id })), {
    name: 'NoSuchEntityException',
  })
  await assert.rejects(theirs.send(new ListAccessKeysCommand({ UserName })), {
    name: 'NoSuchEntityException',
  })
})

test('a user may do nothing that no policy allows, and learns why from an encoded message', async (context) => {
  const { admin, system, clientsOfUser } = await startWithUsers(context)
  await admin.iam.send(new CreateUserCommand({ UserName: 'alice' }))
  const { ec2, iam, sts } = await clientsOfUser('alice')
  const arn = `arn:aws:iam::${accountId}:user/alice`

  let message = ''
  await assert.rejects(ec2.send(new DescribeVpcsCommand({})), (error: Error) => {
    assert.equal(error.name, 'UnauthorizedOperation')
    assert.match(error.message, /no identity-based policy allows the ec2:DescribeVpcs action/)
    message = /Encoded authorization failure message: (\S+)$/.exec(error.message)?.[1] ?? ''
    return true
  })
  const decode = new DecodeAuthorizationMessageCommand({ EncodedMessage: message })
  const { DecodedMessage = '' } = await admin.sts.send(decode)
  const { allowed, context: asked } = JSON.parse(DecodedMessage) as {
    allowed: boolean
    context: { action: string; principal: { arn: string } }
  }
  assert.deepEqual([allowed, asked.action, asked.principal.arn], [false, 'ec2:DescribeVpcs', arn])
  await assert.rejects(sts.send(decode), { name: 'AccessDenied' })
  const theirs = new STSClient(await system.settingsOf('222222222222'))
  context.after(() => theirs.destroy())
  await assert.rejects(theirs.send(decode), { name: 'InvalidAuthorizationMessageException' })

  // Whether somebody is there is nothing for those who may not ask.
  for (const UserName of ['alice', 'nobody', undefined]) {
    await assert.rejects(iam.send(new GetUserCommand({ UserName })), {
      name: 'AccessDenied',
      message:
        `User: ${arn} is not authorized to perform: iam:GetUser on resource: ` +
        `arn:aws:iam::${accountId}:user/${UserName ?? 'alice'} ` +
        'because no identity-based policy allows the iam:GetUser action',
    })
  }
})

test('IAM is signed for us-east-1, whatever Regions there are', async (context) => {
  const { clientsOf } = await startWithUsers(context, { regions: 'eu-central-1' })
  await clientsOf({ region: 'us-east-1' }).iam.send(new ListUsersCommand({}))
  await clientsOf({ region: 'eu-central-1' }).iam.send(new ListUsersCommand({}))
  await assert.rejects(clientsOf({ region: 'eu-west-3' }).iam.send(new ListUsersCommand({})), {
    name: 'AuthFailure',
  })
  await assert.rejects(clientsOf({ region: 'us-east-1' }).ec2.send(new DescribeImagesCommand({})), {
    name: 'AuthFailure',
  })
})
