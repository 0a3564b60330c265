/** Groups: their users have their policies, through the official clients. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DescribeVpcsCommand } from '@aws-sdk/client-ec2'
import {
  AddUserToGroupCommand,
  AttachGroupPolicyCommand,
  CreateGroupCommand,
  CreateUserCommand,
  DeleteGroupCommand,
  DeleteGroupPolicyCommand,
  DeleteUserCommand,
  DetachGroupPolicyCommand,
  GetAccountSummaryCommand,
  GetGroupCommand,
  ListGroupsCommand,
  ListGroupsForUserCommand,
  PutGroupPolicyCommand,
  RemoveUserFromGroupCommand,
  UpdateGroupCommand,
} from '@aws-sdk/client-iam'
import { startWithUsers } from './iam-clients.ts'

test('who is in a group may do what its policies say, for as long', async (context) => {
  const { admin, clientsOfUser } = await startWithUsers(context)
  const { iam } = admin
  const [UserName, GroupName] = ['alice', 'lookers']
  const both = { UserName, GroupName }
  const gone = { name: 'NoSuchEntityException' }
  const conflict = { name: 'DeleteConflictException' }
  await iam.send(new CreateUserCommand({ UserName }))
  await iam.send(new CreateGroupCommand({ GroupName }))
  await assert.rejects(iam.send(new CreateGroupCommand({ GroupName: 'Lookers' })), {
    name: 'EntityAlreadyExistsException',
  })
  const { ec2 } = await clientsOfUser(UserName)
  const vpcs = new DescribeVpcsCommand({})
  const PolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Action: 'ec2:Describe*', Resource: '*' },
  })
  const inline = { GroupName, PolicyName: 'look' }
  await iam.send(new PutGroupPolicyCommand({ ...inline, PolicyDocument }))
  await assert.rejects(ec2.send(vpcs), { name: 'UnauthorizedOperation' })
  await iam.send(new AddUserToGroupCommand(both))
  await iam.send(new AddUserToGroupCommand(both))
  await ec2.send(vpcs)

  await iam.send(new UpdateGroupCommand({ GroupName, NewGroupName: 'seers' }))
  await assert.rejects(iam.send(new GetGroupCommand({ GroupName })), gone)
  await iam.send(new UpdateGroupCommand({ GroupName: 'seers', NewGroupName: GroupName }))
  const group = await iam.send(new GetGroupCommand({ GroupName }))
  assert.deepEqual([group.Group?.GroupName, group.Users?.length], [GroupName, 1])
  const { Groups } = await iam.send(new ListGroupsForUserCommand({ UserName }))
  assert.deepEqual(Groups, [group.Group])

  await assert.rejects(iam.send(new DeleteUserCommand({ UserName })), conflict)
  await assert.rejects(iam.send(new DeleteGroupCommand({ GroupName })), conflict)
  await iam.send(new RemoveUserFromGroupCommand(both))
  await assert.rejects(ec2.send(vpcs), { name: 'UnauthorizedOperation' })
  await assert.rejects(iam.send(new RemoveUserFromGroupCommand(both)), gone)
  await assert.rejects(iam.send(new DeleteGroupCommand({ GroupName })), conflict)
  await iam.send(new DeleteGroupPolicyCommand(inline))

  const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess'
  await iam.send(new AttachGroupPolicyCommand({ GroupName, PolicyArn }))
  await assert.rejects(iam.send(new DeleteGroupCommand({ GroupName })), conflict)
  await iam.send(new DetachGroupPolicyCommand({ GroupName, PolicyArn }))
  await iam.send(new DeleteGroupCommand({ GroupName }))
  assert.deepEqual((await iam.send(new ListGroupsCommand({}))).Groups, [])
})

test('a user is in ten groups at most, all of them in its own account', async (context) => {
  const { admin } = await startWithUsers(context)
  const { iam } = admin
  const UserName = 'alice'
  await iam.send(new CreateUserCommand({ UserName }))
  for (let index = 0; index <= 10; index++) {
    const GroupName = `group-${index}`
    await iam.send(new CreateGroupCommand({ GroupName }))
    const added = iam.send(new AddUserToGroupCommand({ UserName, GroupName }))
    if (index < 10) await added
    else await assert.rejects(added, { name: 'LimitExceededException' })
  }
  const { Groups } = await iam.send(new ListGroupsForUserCommand({ UserName }))
  assert.equal(Groups?.length, 10)
  const { SummaryMap } = await iam.send(new GetAccountSummaryCommand({}))
  const { Users, Groups: count, GroupsPerUserQuota } = SummaryMap ?? {}
  assert.deepEqual([Users, count, GroupsPerUserQuota], [1, 11, 10])
})
