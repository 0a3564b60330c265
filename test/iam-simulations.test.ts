/** Policies tried out, tags of users and sessions, and passwords, through the official clients. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DescribeVpcsCommand } from '@aws-sdk/client-ec2'
import * as iam from '@aws-sdk/client-iam'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import { startWithUsers } from './iam-clients.ts'
import { accountId, region } from './system.ts'

const documentOf = (...statements: readonly object[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements })
const allow = (Action: string | readonly string[], more: object = {}) => ({
  Effect: 'Allow',
  Action,
  Resource: '*',
  ...more,
})

test('what a policy would say is said by what judges calls', async (context) => {
  const { admin } = await startWithUsers(context)
  const send = admin.iam.send.bind(admin.iam)
  const UserName = 'ann'
  const { User } = await send(new iam.CreateUserCommand({ UserName }))
  const PolicySourceArn = User?.Arn ?? ''
  const image = `arn:aws:ec2:${region}::image/ami-00000000000000001`
  const put = (...statements: readonly object[]) =>
    send(
      new iam.PutUserPolicyCommand({
        UserName,
        PolicyName: 'images',
        PolicyDocument: documentOf(...statements),
      }),
    )
  const simulate = async (input: Partial<iam.SimulatePrincipalPolicyCommandInput> = {}) => {
    const wanted = { PolicySourceArn, ActionNames: ['ec2:DeregisterImage'], ResourceArns: [image] }
    const answer = await send(new iam.SimulatePrincipalPolicyCommand({ ...wanted, ...input }))
    return (answer.EvaluationResults ?? []).map((result) => {
      const { EvalDecision, EvalActionName, MissingContextValues: missing = [] } = result
      const by = result.MatchedStatements?.map((one) => one.SourcePolicyId)
      return { name: EvalActionName, decision: EvalDecision, missing, by, result }
    })
  }
  const [none] = await simulate()
  assert.equal(none?.decision, 'implicitDeny')
  await put(allow('ec2:*'), {
    Sid: 'Keep',
    Effect: 'Deny',
    Action: 'ec2:DeregisterImage',
    Resource: '*',
    Condition: { StringEquals: { 'aws:ResourceTag/keep': 'yes' } },
  })
  const [allowed] = await simulate()
  assert.equal(allowed?.decision, 'allowed')
  assert.deepEqual([allowed?.missing, allowed?.by], [['aws:ResourceTag/keep'], ['images']])
  assert.equal(allowed?.result.MatchedStatements?.[0]?.SourcePolicyType, 'user')
  const ContextKeyName = 'aws:ResourceTag/keep'
  const kept = { ContextKeyName, ContextKeyValues: ['yes'], ContextKeyType: 'string' as const }
  const [denied] = await simulate({ ContextEntries: [kept] })
  assert.deepEqual([denied?.decision, denied?.missing], ['explicitDeny', []])

  // A boundary that comes with the call, more actions, and pages.
  const boundary = [documentOf(allow('ec2:Describe*'))]
  const ActionNames = ['ec2:DescribeImages', 'ec2:DeregisterImage', 'iam:CreateUser']
  const limited = await simulate({ PermissionsBoundaryPolicyInputList: boundary, ActionNames })
  assert.deepEqual(
    limited.map(({ decision, result }) => [
      decision,
      result.PermissionsBoundaryDecisionDetail?.AllowedByPermissionsBoundary,
    ]),
    [
      ['allowed', true],
      ['implicitDeny', false],
      ['implicitDeny', false],
    ],
  )
  const custom = await send(
    new iam.SimulateCustomPolicyCommand({
      PolicyInputList: [documentOf(allow('s3:*'))],
      ActionNames: ['s3:GetObject', 'ec2:RunInstances'],
      MaxItems: 1,
    }),
  )
  assert.equal(custom.IsTruncated, true)
  assert.equal(custom.EvaluationResults?.[0]?.EvalDecision, 'allowed')
  const keys = await send(new iam.GetContextKeysForPrincipalPolicyCommand({ PolicySourceArn }))
  assert.deepEqual(keys.ContextKeyNames, ['aws:ResourceTag/keep'])

  const refused = (input: object, name: string) => assert.rejects(simulate(input), { name })
  await refused({ PolicySourceArn: 'me' }, 'InvalidInputException')
  await refused({ PolicySourceArn: `${PolicySourceArn}x` }, 'NoSuchEntityException')
  await refused({ PolicyInputList: ['{'] }, 'MalformedPolicyDocumentException')
  await refused({ ActionNames: ['everything'] }, 'InvalidInputException')
})

test('a role is taken with tags, which policies ask for', async (context) => {
  const { admin, clientsOf, clientsOfUser } = await startWithUsers(context)
  const send = admin.iam.send.bind(admin.iam)
  const RoleName = 'builder'
  const trust = (Action: readonly string[], Condition?: object) =>
    documentOf({ Effect: 'Allow', Action, Principal: { AWS: accountId }, Condition })
  await send(
    new iam.CreateRoleCommand({
      RoleName,
      AssumeRolePolicyDocument: trust(['sts:AssumeRole']),
      Tags: [{ Key: 'team', Value: 'red' }],
    }),
  )
  const { Role } = await send(new iam.GetRoleCommand({ RoleName }))
  assert.deepEqual(Role?.Tags, [{ Key: 'team', Value: 'red' }])
  const Condition = { StringEquals: { 'aws:PrincipalTag/team': 'blue' } }
  await send(
    new iam.PutRolePolicyCommand({
      RoleName,
      PolicyName: 'of-teams',
      PolicyDocument: documentOf(allow('ec2:DescribeVpcs', { Condition }), allow('sts:*')),
    }),
  )
  await send(new iam.CreateUserCommand({ UserName: 'ann' }))
  await send(
    new iam.PutUserPolicyCommand({
      UserName: 'ann',
      PolicyName: 'sts',
      PolicyDocument: documentOf(allow('sts:*')),
    }),
  )
  const ann = await clientsOfUser('ann')
  const RoleArn = Role?.Arn
  const take = async (sts = ann.sts, input: object = {}) => {
    const wanted = { RoleArn, RoleSessionName: 'a-session', ...input }
    const { Credentials } = await sts.send(new AssumeRoleCommand(wanted))
    return clientsOf({
      id: Credentials?.AccessKeyId ?? '',
      secret: Credentials?.SecretAccessKey ?? '',
      token: Credentials?.SessionToken ?? '',
    })
  }
  const see = (clients: Awaited<ReturnType<typeof take>>) =>
    clients.ec2.send(new DescribeVpcsCommand({}))
  const Tags = [{ Key: 'Team', Value: 'blue' }]
  const denied = { name: 'UnauthorizedOperation' }
  await assert.rejects(see(await take()), denied)
  // To say tags is a permission of its own.
  await assert.rejects(take(ann.sts, { Tags }), { name: 'AccessDenied' })
  const both = trust(['sts:AssumeRole', 'sts:TagSession'])
  await send(new iam.UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: both }))
  const tagged = await take(ann.sts, { Tags, TransitiveTagKeys: ['team'] })
  await see(tagged)
  // One that is passed on goes along, and stays as it is.
  await see(await take(tagged.sts))
  const other = { Tags: [{ Key: 'team', Value: 'red' }] }
  await assert.rejects(take(tagged.sts, other), { name: 'ValidationError' })
  const untagged = await take(ann.sts, { Tags })
  await assert.rejects(see(await take(untagged.sts)), denied)
  await assert.rejects(take(ann.sts, { TransitiveTagKeys: ['x'] }), {
    name: 'ValidationError',
  })
})

test('users have tags and passwords, and policies tell who has them', async (context) => {
  const { system, admin } = await startWithUsers(context)
  const send = admin.iam.send.bind(admin.iam)
  const UserName = 'ann'
  const Tags = [{ Key: 'team', Value: 'red' }]
  await send(new iam.CreateUserCommand({ UserName, Tags }))
  assert.deepEqual((await send(new iam.GetUserCommand({ UserName }))).User?.Tags, Tags)
  await send(new iam.TagUserCommand({ UserName, Tags: [{ Key: 'TEAM', Value: 'blue' }] }))
  await send(new iam.UntagUserCommand({ UserName, TagKeys: ['nothing'] }))
  const listed = await send(new iam.ListUserTagsCommand({ UserName }))
  assert.deepEqual(listed.Tags, [{ Key: 'TEAM', Value: 'blue' }])

  const PolicyDocument = documentOf(allow('ec2:*'))
  const made = await send(new iam.CreatePolicyCommand({ PolicyName: 'p', PolicyDocument, Tags }))
  const PolicyArn = made.Policy?.Arn ?? ''
  assert.deepEqual((await send(new iam.GetPolicyCommand({ PolicyArn }))).Policy?.Tags, Tags)
  await send(new iam.UntagPolicyCommand({ PolicyArn, TagKeys: ['team'] }))
  assert.deepEqual((await send(new iam.ListPolicyTagsCommand({ PolicyArn }))).Tags, [])
  await send(new iam.AttachUserPolicyCommand({ UserName, PolicyArn }))
  const holders = await send(new iam.ListEntitiesForPolicyCommand({ PolicyArn }))
  assert.deepEqual(
    holders.PolicyUsers?.map((user) => user.UserName),
    [UserName],
  )
  const roles = { PolicyArn, EntityFilter: 'Role' } as const
  assert.deepEqual((await send(new iam.ListEntitiesForPolicyCommand(roles))).PolicyUsers, [])
  await send(new iam.DetachUserPolicyCommand({ UserName, PolicyArn }))

  const Password = 'correct-Horse-7'
  const weak = new iam.CreateLoginProfileCommand({ UserName, Password: 'password' })
  await assert.rejects(send(weak), { name: 'PasswordPolicyViolationException' })
  const none = new iam.GetLoginProfileCommand({ UserName })
  await assert.rejects(send(none), { name: 'NoSuchEntityException' })
  const PasswordResetRequired = true
  const create = { UserName, Password, PasswordResetRequired }
  await send(new iam.CreateLoginProfileCommand(create))
  const again = send(new iam.CreateLoginProfileCommand(create))
  await assert.rejects(again, { name: 'EntityAlreadyExistsException' })
  const found = await send(new iam.GetLoginProfileCommand({ UserName }))
  assert.equal(found.LoginProfile?.PasswordResetRequired, true)
  const change = { UserName, Password: 'another-Horse-8', PasswordResetRequired: false }
  await send(new iam.UpdateLoginProfileCommand(change))
  const removing = () => send(new iam.DeleteUserCommand({ UserName }))
  await assert.rejects(removing(), { name: 'DeleteConflictException' })
  // What is kept is no password.
  const rows = await system.db.reads.selectFrom('iam_login_profiles').selectAll().execute()
  assert.match(rows[0]?.hash ?? '', /^scrypt:/)
  const events = await system.db.reads.selectFrom('audit_events').selectAll().execute()
  assert.doesNotMatch(JSON.stringify([rows, events]), /Horse/)
  await send(new iam.DeleteLoginProfileCommand({ UserName }))
  await assert.rejects(send(new iam.DeleteLoginProfileCommand({ UserName })), {
    name: 'NoSuchEntityException',
  })
  await removing()
})
