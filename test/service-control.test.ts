/** Service control policies through the SDK: what they leave of whose permissions, and what is refused. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CreateVolumeCommand, DescribeVpcsCommand } from '@aws-sdk/client-ec2'
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  GetRoleCommand,
  ListUsersCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreatePolicyCommand,
  DeletePolicyCommand,
  DescribeOrganizationCommand,
  DescribePolicyCommand,
  DetachPolicyCommand,
  DisablePolicyTypeCommand,
  ListPoliciesCommand,
  ListPoliciesForTargetCommand,
  ListRootsCommand,
  ListTagsForResourceCommand,
  ListTargetsForPolicyCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdatePolicyCommand,
} from '@aws-sdk/client-organizations'
import {
  AssumeRoleCommand,
  DecodeAuthorizationMessageCommand,
  STSClient,
} from '@aws-sdk/client-sts'
import { startOrganization } from './organization-clients.ts'
import { accountId as managementId, region } from './system.ts'

const Type = 'SERVICE_CONTROL_POLICY'
const full = 'p-FullAWSAccess'
const statement = (Effect: 'Allow' | 'Deny', Action: string | readonly string[]) => ({
  Version: '2012-10-17',
  Statement: [{ Sid: 'one', Effect, Action, Resource: '*' }],
})
const noVolumes = statement('Deny', 'ec2:CreateVolume')
const createVolume = new CreateVolumeCommand({ AvailabilityZone: `${region}a`, Size: 1 })

test('what an account may do is bounded at every level above it', async (context) => {
  const world = await startOrganization(context)
  const { root, management, attach, createPolicy, enter } = world
  const { organizations } = management
  const unit = await world.createUnit('dev')
  const dev = await world.createAccount('dev')
  await world.move(dev, root, unit)
  const inside = await enter(dev)
  const role = await inside.iam.send(
    new GetRoleCommand({ RoleName: 'OrganizationAccountAccessRole' }),
  )
  assert.match(
    decodeURIComponent(role.Role?.AssumeRolePolicyDocument ?? ''),
    new RegExp(managementId),
  )
  await inside.iam.send(new CreateUserCommand({ UserName: 'alice' }))
  const everything = { UserName: 'alice', PolicyName: 'all' }
  const PolicyDocument = JSON.stringify(statement('Allow', '*'))
  await inside.iam.send(new PutUserPolicyCommand({ ...everything, PolicyDocument }))
  const { AccessKey } = await inside.iam.send(new CreateAccessKeyCommand({ UserName: 'alice' }))
  const alice = world.clientsOf({
    id: AccessKey?.AccessKeyId ?? '',
    secret: AccessKey?.SecretAccessKey ?? '',
  })

  const deny = await createPolicy(Type, 'no volumes', noVolumes)
  await assert.rejects(attach(deny, unit), { name: 'PolicyTypeNotEnabledException' })
  const { Root } = await world.enable(Type)
  assert.deepEqual(Root?.PolicyTypes, [{ Type, Status: 'ENABLED' }])
  await assert.rejects(world.enable(Type), { name: 'PolicyTypeAlreadyEnabledException' })
  const targetsOf = async (PolicyId: string) =>
    (await organizations.send(new ListTargetsForPolicyCommand({ PolicyId }))).Targets ?? []
  const everywhere = [root, unit, dev, managementId].toSorted()
  assert.deepEqual(
    (await targetsOf(full)).map(({ TargetId = '' }) => TargetId).toSorted(),
    everywhere,
  )

  // Everything is allowed as before, until something is attached.
  await inside.ec2.send(createVolume)
  await attach(deny, unit)
  const denied = {
    name: 'UnauthorizedOperation',
    message: /with an explicit deny in a service control policy/,
  }
  const refusal: unknown = await inside.ec2.send(createVolume).catch((error: unknown) => error)
  assert(refusal instanceof Error)
  assert.match(refusal.message, denied.message)
  await assert.rejects(alice.ec2.send(createVolume), denied)
  await inside.ec2.send(new DescribeVpcsCommand({}))
  const [, EncodedMessage = ''] = /failure message: (\S+)/.exec(refusal.message) ?? []
  const decode = new DecodeAuthorizationMessageCommand({ EncodedMessage })
  const opened: unknown = JSON.parse((await inside.sts.send(decode)).DecodedMessage ?? '')
  assert(opened && typeof opened === 'object' && 'explicitDeny' in opened)
  assert.equal(opened.explicitDeny, true)
  assert.match(JSON.stringify(opened), new RegExp(`${deny}.*"statementId":"one"`))

  // The management account is bound by none, wherever it is attached.
  await attach(deny, root)
  await attach(deny, managementId)
  await management.ec2.send(createVolume)

  // A level that allows less leaves less, whatever the others allow.
  for (const TargetId of [unit, root]) {
    await organizations.send(new DetachPolicyCommand({ PolicyId: deny, TargetId }))
  }
  await inside.ec2.send(createVolume)
  const last = new DetachPolicyCommand({ PolicyId: full, TargetId: dev })
  await assert.rejects(organizations.send(last), {
    name: 'ConstraintViolationException',
    Reason: 'MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED',
  })
  const some = await createPolicy(Type, 'ec2 alone', statement('Allow', 'ec2:*'))
  await attach(some, dev)
  await organizations.send(last)
  await alice.ec2.send(createVolume)
  await assert.rejects(alice.iam.send(new ListUsersCommand({})), {
    name: 'AccessDenied',
    message: /because no service control policy allows the iam:ListUsers action/,
  })

  // Out of use, nothing is left of what was attached; in use again, all is allowed.
  const { Root: after } = await organizations.send(
    new DisablePolicyTypeCommand({ RootId: root, PolicyType: Type }),
  )
  assert.deepEqual(after?.PolicyTypes, [])
  await alice.iam.send(new ListUsersCommand({}))
  assert.deepEqual(await targetsOf(some), [])
  await world.enable(Type)
  await alice.iam.send(new ListUsersCommand({}))
  const test2 = await world.createAccount('test', { RoleName: 'way-in' })
  assert((await targetsOf(full)).some(({ TargetId }) => TargetId === test2))
  await (await enter(test2, 'way-in')).ec2.send(new DescribeVpcsCommand({}))
})

test('policies are kept, listed, tagged and changed as AWS does it, and refused as AWS does it', async (context) => {
  const world = await startOrganization(context)
  const { root, attach, createPolicy } = world
  const { organizations } = world.management
  await world.enable(Type)
  const unit = await world.createUnit('dev')
  const make = (content: string, more: object = {}) => {
    const input = { Type, Name: 'a', Description: '', Content: content, ...more } as const
    return organizations.send(new CreatePolicyCommand(input))
  }
  const refused = async (promise: Promise<unknown>, name: string, Reason?: string) =>
    await assert.rejects(promise, { name, ...(Reason !== undefined && { Reason }) })

  const { Policy } = await make(JSON.stringify(noVolumes), { Tags: [{ Key: 'a', Value: 'b' }] })
  const PolicyId = Policy?.PolicySummary?.Id ?? ''
  assert.match(
    Policy?.PolicySummary?.Arn ?? '',
    /^arn:aws:organizations::123456789012:policy\/o-\w{10}\/service_control_policy\/p-\w{8}$/,
  )
  const described = await organizations.send(new DescribePolicyCommand({ PolicyId }))
  assert.deepEqual(described.Policy, Policy)
  const managed = await organizations.send(new DescribePolicyCommand({ PolicyId: full }))
  assert.equal(
    managed.Policy?.PolicySummary?.Arn,
    'arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess',
  )
  const { Policies } = await organizations.send(new ListPoliciesCommand({ Filter: Type }))
  assert.deepEqual(
    Policies?.map(({ Id, AwsManaged }) => [Id, AwsManaged]),
    [
      [PolicyId, false],
      [full, true],
    ].toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1)),
  )

  // What is no policy, or one too many.
  const malformed = 'MalformedPolicyDocumentException'
  for (const content of ['', '{}', '[]', '{"Version":"2012-10-17","Statement":[{}]}']) {
    await refused(make(content, { Name: 'wrong' }), malformed)
  }
  const long = JSON.stringify({ ...noVolumes, Id: 'x'.repeat(5120) })
  await refused(
    make(long, { Name: 'long' }),
    'ConstraintViolationException',
    'POLICY_CONTENT_LIMIT_EXCEEDED',
  )
  const content = JSON.stringify(noVolumes)
  await refused(make(content), 'DuplicatePolicyException')
  await refused(make(content, { Name: 'FullAWSAccess' }), 'DuplicatePolicyException')
  await refused(
    make(content, { Type: 'TAG_POLICY' }),
    'PolicyTypeNotAvailableForOrganizationException',
  )
  await refused(
    make(content, { Type: 'NO_POLICY' }),
    'InvalidInputException',
    'INVALID_ENUM_POLICY_TYPE',
  )
  await refused(make(content, { Name: '' }), 'InvalidInputException', 'MIN_LENGTH_EXCEEDED')
  await refused(
    world.enable('RESOURCE_CONTROL_POLICY'),
    'PolicyTypeNotAvailableForOrganizationException',
  )

  const update = (input: object, id = PolicyId) =>
    organizations.send(new UpdatePolicyCommand({ PolicyId: id, ...input }))
  const renamed = await update({ Name: 'b', Description: 'better' })
  assert.deepEqual(renamed.Policy?.PolicySummary, {
    ...Policy?.PolicySummary,
    Name: 'b',
    Description: 'better',
  })
  const other = await createPolicy(Type, 'c', noVolumes)
  await refused(update({ Name: 'c' }), 'DuplicatePolicyException')
  await refused(update({ Content: '{}' }), malformed)
  await refused(update({ Name: 'c' }, full), 'InvalidInputException', 'IMMUTABLE_POLICY')
  await refused(update({ Name: 'c' }, 'p-00000000'), 'PolicyNotFoundException')

  await attach(PolicyId, unit)
  await refused(attach(PolicyId, unit), 'DuplicatePolicyAttachmentException')
  await refused(attach(PolicyId, 'ou-abcd-abcdefgh'), 'TargetNotFoundException')
  await refused(attach(PolicyId, '999999999999'), 'TargetNotFoundException')
  await refused(attach(PolicyId, 'nonsense'), 'InvalidInputException')
  await refused(attach('p-00000000', unit), 'PolicyNotFoundException')
  for (const name of ['d', 'e', 'f']) await attach(await createPolicy(Type, name, noVolumes), unit)
  await refused(
    attach(other, unit),
    'ConstraintViolationException',
    'MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED',
  )
  const onUnit = new ListPoliciesForTargetCommand({ TargetId: unit, Filter: Type })
  assert.equal((await organizations.send(onUnit)).Policies?.length, 5)
  const paged = new ListPoliciesForTargetCommand({ TargetId: unit, Filter: Type, MaxResults: 2 })
  assert((await organizations.send(paged)).NextToken)

  const remove = (id: string) => organizations.send(new DeletePolicyCommand({ PolicyId: id }))
  const detach = (id: string, TargetId = unit) =>
    organizations.send(new DetachPolicyCommand({ PolicyId: id, TargetId }))
  await refused(remove(PolicyId), 'PolicyInUseException')
  await refused(remove(full), 'InvalidInputException', 'IMMUTABLE_POLICY')
  await refused(detach(other), 'PolicyNotAttachedException')
  await detach(PolicyId)

  const tagsOf = async (ResourceId: string) =>
    (await organizations.send(new ListTagsForResourceCommand({ ResourceId }))).Tags
  const tag = (ResourceId: string, ...Tags: { Key: string; Value: string }[]) =>
    organizations.send(new TagResourceCommand({ ResourceId, Tags }))
  assert.deepEqual(await tagsOf(PolicyId), [{ Key: 'a', Value: 'b' }])
  await tag(PolicyId, { Key: 'a', Value: 'c' }, { Key: 'd', Value: '' })
  await organizations.send(new UntagResourceCommand({ ResourceId: PolicyId, TagKeys: ['d', 'e'] }))
  assert.deepEqual(await tagsOf(PolicyId), [{ Key: 'a', Value: 'c' }])
  await tag(root, { Key: 'of', Value: 'the root' })
  assert.equal((await tagsOf(root))?.length, 1)
  await refused(tag('p-00000000', { Key: 'a', Value: '' }), 'TargetNotFoundException')
  await refused(
    tag(unit, { Key: 'aws:a', Value: '' }),
    'InvalidInputException',
    'INVALID_SYSTEM_TAGS_PARAMETER',
  )
  const twice = [
    { Key: 'a', Value: '' },
    { Key: 'a', Value: 'b' },
  ]
  await refused(tag(unit, ...twice), 'InvalidInputException', 'DUPLICATE_TAG_KEY')
  const many = Array.from({ length: 51 }, (_, number) => ({ Key: `${number}`, Value: '' }))
  await refused(tag(unit, ...many), 'ConstraintViolationException', 'MAX_TAG_LIMIT_EXCEEDED')

  await remove(PolicyId)
  await refused(remove(PolicyId), 'PolicyNotFoundException')
  await refused(tagsOf(PolicyId), 'TargetNotFoundException')

  // Whoever is not of the management account looks at nothing.
  const dev = await world.createAccount('dev')
  const inside = await world.enter(dev)
  const list = inside.organizations.send(new ListPoliciesCommand({ Filter: Type }))
  await refused(list, 'AccessDeniedException')
  await refused(
    organizations.send(new DisablePolicyTypeCommand({ RootId: 'r-none', PolicyType: Type })),
    'RootNotFoundException',
  )
  const { Roots } = await organizations.send(new ListRootsCommand({}))
  assert.deepEqual(Roots?.[0]?.PolicyTypes, [{ Type, Status: 'ENABLED' }])
})

test('a policy knows the organization of a caller, and its place in it', async (context) => {
  const world = await startOrganization(context)
  const { root, management } = world
  const unit = await world.createUnit('dev')
  const dev = await world.createAccount('dev')
  const inside = await world.enter(dev)
  const { Organization } = await management.organizations.send(new DescribeOrganizationCommand({}))
  const path = `${Organization?.Id}/${root}/${unit}/`
  const trusting = async (RoleName: string, Condition: object) => {
    const Statement = {
      Effect: 'Allow',
      Principal: { AWS: '*' },
      Action: 'sts:AssumeRole',
      Condition,
    }
    const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement })
    const { Role } = await management.iam.send(
      new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }),
    )
    return new AssumeRoleCommand({ RoleArn: Role?.Arn ?? '', RoleSessionName: 'me' })
  }
  const ours = await trusting('ours', { StringEquals: { 'aws:PrincipalOrgID': Organization?.Id } })
  const ofUnit = await trusting('of-unit', {
    'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': `${path}*` },
  })
  await inside.sts.send(ours)
  await assert.rejects(inside.sts.send(ofUnit), { name: 'AccessDenied' })
  await world.move(dev, root, unit)
  await inside.sts.send(ofUnit)
  const stranger = new STSClient(await world.system.settingsOf('999999999999'))
  context.after(() => stranger.destroy())
  await assert.rejects(stranger.send(ours), { name: 'AccessDenied' })
})
