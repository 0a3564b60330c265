/** Instance profiles: which instance has which role, through the official clients. */
import assert from 'node:assert/strict'
import { before, after, describe, test } from 'node:test'
import {
  AssociateIamInstanceProfileCommand,
  DescribeIamInstanceProfileAssociationsCommand,
  DescribeInstancesCommand,
  DisassociateIamInstanceProfileCommand,
  type EC2Client,
  ReplaceIamInstanceProfileAssociationCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import {
  AddRoleToInstanceProfileCommand,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteInstanceProfileCommand,
  DeleteRoleCommand,
  GetAccountSummaryCommand,
  GetInstanceProfileCommand,
  type IAMClient,
  ListInstanceProfilesCommand,
  ListInstanceProfilesForRoleCommand,
  ListInstanceProfileTagsCommand,
  PutUserPolicyCommand,
  RemoveRoleFromInstanceProfileCommand,
  TagInstanceProfileCommand,
  UntagInstanceProfileCommand,
} from '@aws-sdk/client-iam'
import { startWithUsers } from './iam-clients.ts'
import { lastFirst } from './last-first.ts'
import { putImage } from './rows.ts'
import { accountId, region } from './system.ts'

type World = Awaited<ReturnType<typeof startWithUsers>>

const opened = lastFirst()
let world: World
let iam: IAMClient
let ec2: EC2Client
let ImageId: string

before(async () => {
  world = await startWithUsers(opened)
  ;({ iam, ec2 } = world.admin)
  ImageId = (await putImage(world.system.db, { accountId, region }, { name: 'one' })).id
})
after(opened.end)

const AssumeRolePolicyDocument = JSON.stringify({
  Version: '2012-10-17',
  Statement: {
    Effect: 'Allow',
    Action: 'sts:AssumeRole',
    Principal: { Service: 'ec2.amazonaws.com' },
  },
})
const makeRole = (RoleName: string) =>
  iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }))
const makeProfile = async (name: string, RoleName: string) => {
  const InstanceProfileName = name
  const { InstanceProfile } = await iam.send(
    new CreateInstanceProfileCommand({ InstanceProfileName }),
  )
  await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName, RoleName }))
  return InstanceProfile
}
const launching = { MinCount: 1, MaxCount: 1, InstanceType: 't3.nano' } as const
const launch = async (IamInstanceProfile?: { Name?: string; Arn?: string }) => {
  const { Instances: [made] = [] } = await ec2.send(
    new RunInstancesCommand({
      ...launching,
      ImageId,
      ...(IamInstanceProfile && { IamInstanceProfile }),
    }),
  )
  return made
}
const inState = (id: string | undefined, state: 'running' | 'stopped') =>
  world.system.db.writes
    .updateTable('instances')
    .set({ state })
    .where('id', '=', id as 'i-1')
    .execute()

describe('IAM keeps instance profiles', () => {
  const InstanceProfileName = 'builders'
  const RoleName = 'builder'
  const both = { InstanceProfileName, RoleName }
  const noSuch = { name: 'NoSuchEntityException' }

  test('with one role, which cannot go before them', async () => {
    const { Role } = await makeRole(RoleName)
    await makeRole('another')
    const { InstanceProfile: made } = await iam.send(
      new CreateInstanceProfileCommand({ InstanceProfileName, Path: '/teams/images/' }),
    )
    assert.match(made?.InstanceProfileId ?? '', /^AIPA[A-Z2-7]{17}$/)
    assert.equal(made?.Arn, `arn:aws:iam::${accountId}:instance-profile/teams/images/builders`)
    assert.deepEqual(made.Roles, [])
    await assert.rejects(
      iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: 'Builders' })),
      {
        name: 'EntityAlreadyExistsException',
        message: 'Instance Profile Builders already exists.',
      },
    )

    await iam.send(new AddRoleToInstanceProfileCommand(both))
    for (const name of [RoleName, 'another']) {
      await assert.rejects(
        iam.send(new AddRoleToInstanceProfileCommand({ ...both, RoleName: name })),
        {
          name: 'LimitExceededException',
          message: 'Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1',
        },
      )
    }
    const { InstanceProfile: found } = await iam.send(
      new GetInstanceProfileCommand({ InstanceProfileName }),
    )
    assert.deepEqual(
      found?.Roles?.map(({ Arn }) => Arn),
      [Role?.Arn],
    )
    const { InstanceProfiles: ofRole } = await iam.send(
      new ListInstanceProfilesForRoleCommand({ RoleName }),
    )
    assert.deepEqual(
      ofRole?.map((one) => one.InstanceProfileName),
      [InstanceProfileName],
    )

    await assert.rejects(iam.send(new DeleteRoleCommand({ RoleName })), {
      name: 'DeleteConflictException',
      message: 'Cannot delete entity, must remove roles from instance profile first.',
    })
    await assert.rejects(iam.send(new DeleteInstanceProfileCommand({ InstanceProfileName })), {
      name: 'DeleteConflictException',
    })
    await assert.rejects(
      iam.send(new RemoveRoleFromInstanceProfileCommand({ ...both, RoleName: 'another' })),
      noSuch,
    )
    await iam.send(new RemoveRoleFromInstanceProfileCommand(both))
    await iam.send(new DeleteRoleCommand({ RoleName }))
    await iam.send(new DeleteInstanceProfileCommand({ InstanceProfileName }))
    await assert.rejects(iam.send(new GetInstanceProfileCommand({ InstanceProfileName })), {
      ...noSuch,
      message: 'Instance Profile builders cannot be found.',
    })
  })

  test('in pages, by their paths', async () => {
    for (const name of ['a', 'b', 'c']) {
      await iam.send(
        new CreateInstanceProfileCommand({ InstanceProfileName: name, Path: `/paged/${name}/` }),
      )
    }
    const list = (input: object) => iam.send(new ListInstanceProfilesCommand(input))
    const names = (page: Awaited<ReturnType<typeof list>>) =>
      page.InstanceProfiles?.map((one) => one.InstanceProfileName)
    const first = await list({ PathPrefix: '/paged/', MaxItems: 2 })
    assert.deepEqual([names(first), first.IsTruncated], [['a', 'b'], true])
    const second = await list({ PathPrefix: '/paged/', MaxItems: 2, Marker: first.Marker })
    assert.deepEqual([names(second), second.IsTruncated], [['c'], false])
    assert.deepEqual(names(await list({ PathPrefix: '/paged/b/' })), ['b'])
    const { SummaryMap } = await iam.send(new GetAccountSummaryCommand({}))
    assert.equal(SummaryMap?.InstanceProfiles, 3)
    for (const name of ['a', 'b', 'c']) {
      await iam.send(new DeleteInstanceProfileCommand({ InstanceProfileName: name }))
    }
  })

  test('with tags, whose keys are the same in upper and lower case', async () => {
    const Tags = [{ Key: 'Team', Value: 'images' }]
    const { InstanceProfile: made } = await iam.send(
      new CreateInstanceProfileCommand({ InstanceProfileName, Tags }),
    )
    assert.deepEqual(made?.Tags, Tags)
    const tag = (more: readonly { Key: string; Value: string }[]) =>
      iam.send(new TagInstanceProfileCommand({ InstanceProfileName, Tags: [...more] }))
    const tagsNow = async () => {
      const found = await iam.send(new ListInstanceProfileTagsCommand({ InstanceProfileName }))
      return found.Tags
    }
    await tag([
      { Key: 'team', Value: 'disks' },
      { Key: 'a', Value: '' },
    ])
    const changed = [
      { Key: 'a', Value: '' },
      { Key: 'team', Value: 'disks' },
    ]
    assert.deepEqual(await tagsNow(), changed)
    const { InstanceProfile } = await iam.send(
      new GetInstanceProfileCommand({ InstanceProfileName }),
    )
    assert.deepEqual(InstanceProfile?.Tags, changed)

    const twice = [
      { Key: 'b', Value: '' },
      { Key: 'B', Value: '' },
    ]
    await assert.rejects(tag(twice), { name: 'InvalidInputException', message: /^Duplicate tag/ })
    await assert.rejects(tag([{ Key: 'aws:x', Value: '' }]), { name: 'InvalidInputException' })
    await assert.rejects(tag([{ Key: 'no;semicolon', Value: '' }]), { name: 'ValidationError' })
    const many = Array.from({ length: 49 }, (_, index) => ({ Key: `k${index}`, Value: '' }))
    await assert.rejects(tag(many), { name: 'LimitExceededException' })
    assert.deepEqual(await tagsNow(), changed)

    // Who may not touch what is tagged as the disks' may not untag it either.
    await iam.send(new CreateUserCommand({ UserName: 'tagger' }))
    const of = (value: string) =>
      iam.send(
        new PutUserPolicyCommand({
          UserName: 'tagger',
          PolicyName: 'tags',
          PolicyDocument: JSON.stringify({
            Version: '2012-10-17',
            Statement: {
              Effect: 'Allow',
              Action: 'iam:UntagInstanceProfile',
              Resource: '*',
              Condition: { StringEquals: { 'aws:ResourceTag/team': value } },
            },
          }),
        }),
      )
    const tagger = await world.clientsOfUser('tagger')
    const untag = (client: IAMClient, TagKeys: string[]) =>
      client.send(new UntagInstanceProfileCommand({ InstanceProfileName, TagKeys }))
    await of('images')
    await assert.rejects(untag(tagger.iam, ['a']), { name: 'AccessDenied' })
    await of('disks')
    await untag(tagger.iam, ['A'])
    assert.deepEqual(await tagsNow(), changed.slice(1))
    await iam.send(new DeleteInstanceProfileCommand({ InstanceProfileName }))
  })
})

describe('an instance has a profile', () => {
  const associations = async (input: object = {}) => {
    const found = await ec2.send(new DescribeIamInstanceProfileAssociationsCommand(input))
    return found.IamInstanceProfileAssociations ?? []
  }

  before(async () => {
    await makeRole('web')
    await makeRole('db')
    await makeProfile('of-web', 'web')
    await makeProfile('of-db', 'db')
  })

  test('from its launch on, by name or by ARN', async () => {
    const Arn = `arn:aws:iam::${accountId}:instance-profile/of-web`
    for (const spec of [{ Name: 'of-web' }, { Arn }]) {
      const made = await launch(spec)
      assert.equal(made?.IamInstanceProfile?.Arn, Arn)
      assert.match(made.IamInstanceProfile.Id ?? '', /^AIPA/)
    }
    const filter = async (Name: string, value: string) => {
      const { Reservations } = await ec2.send(
        new DescribeInstancesCommand({ Filters: [{ Name, Values: [value] }] }),
      )
      return Reservations?.length
    }
    assert.equal(await filter('iam-instance-profile.name', 'of-web'), 2)
    assert.equal(await filter('iam-instance-profile.arn', Arn), 2)
    assert.equal(await filter('iam-instance-profile.arn', `${Arn}s`), 0)
    const [first] = await associations()
    assert.equal(await filter('iam-instance-profile.id', first?.IamInstanceProfile?.Id ?? ''), 2)
    assert.equal(first?.State, 'associated')
  })

  test('that is there and has a role', async () => {
    const invalid = (message: string) => ({ name: 'InvalidParameterValue', message })
    await assert.rejects(
      launch({ Name: 'gone' }),
      invalid(
        'Value (gone) for parameter iamInstanceProfile.name is invalid. ' +
          'Invalid IAM Instance Profile name',
      ),
    )
    const ofOthers = 'arn:aws:iam::999999999999:instance-profile/of-web'
    for (const Arn of [ofOthers, `arn:aws:iam::${accountId}:instance-profile/teams/of-web`]) {
      await assert.rejects(
        launch({ Arn }),
        invalid(
          `Value (${Arn}) for parameter iamInstanceProfile.arn is invalid. ` +
            'Invalid IAM Instance Profile ARN',
        ),
      )
    }
    const Arn = `arn:aws:iam::${accountId}:instance-profile/of-web`
    await assert.rejects(launch({ Arn, Name: 'of-web' }), { name: 'InvalidParameterCombination' })
    await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: 'empty' }))
    await assert.rejects(
      launch({ Name: 'empty' }),
      invalid(
        `IAM Instance Profile "arn:aws:iam::${accountId}:instance-profile/empty" ` +
          'has no associated IAM Roles',
      ),
    )
  })

  test('given later, replaced, and taken away', async () => {
    const InstanceId = (await launch())?.InstanceId
    const associate = (name: string) =>
      ec2.send(
        new AssociateIamInstanceProfileCommand({ InstanceId, IamInstanceProfile: { Name: name } }),
      )
    await assert.rejects(associate('of-web'), {
      name: 'IncorrectInstanceState',
      message: `The instance '${InstanceId}' is not in the 'running' or 'stopped' states`,
    })
    await inState(InstanceId, 'stopped')
    const { IamInstanceProfileAssociation: made } = await associate('of-web')
    assert.equal(made?.State, 'associating')
    assert.match(made.AssociationId ?? '', /^iip-assoc-[0-9a-f]{17}$/)
    await assert.rejects(associate('of-db'), {
      name: 'IncorrectState',
      message: `There is an existing association for instance ${InstanceId}`,
    })
    const ofInstance = { Filters: [{ Name: 'instance-id', Values: [InstanceId] }] }
    assert.deepEqual(await associations(ofInstance), [{ ...made, State: 'associated' }])
    assert.deepEqual(await associations({ AssociationIds: [made.AssociationId] }), [
      { ...made, State: 'associated' },
    ])

    const replace = (id: string | undefined) =>
      ec2.send(
        new ReplaceIamInstanceProfileAssociationCommand({
          AssociationId: id,
          IamInstanceProfile: { Name: 'of-db' },
        }),
      )
    await assert.rejects(replace(made.AssociationId), {
      name: 'IncorrectInstanceState',
      message: `The instance '${InstanceId}' is not in the 'running' state`,
    })
    await inState(InstanceId, 'running')
    const { IamInstanceProfileAssociation: next } = await replace(made.AssociationId)
    assert.notEqual(next?.AssociationId, made.AssociationId)
    assert.match(next?.IamInstanceProfile?.Arn ?? '', /\/of-db$/)
    await assert.rejects(replace(made.AssociationId), { name: 'InvalidAssociationID.NotFound' })
    await assert.rejects(replace('nonsense'), { name: 'InvalidParameterValue' })

    const end = (id: string | undefined) =>
      ec2.send(new DisassociateIamInstanceProfileCommand({ AssociationId: id }))
    const { IamInstanceProfileAssociation: ended } = await end(next?.AssociationId)
    assert.equal(ended?.State, 'disassociating')
    await assert.rejects(end(next?.AssociationId), { name: 'InvalidAssociationID.NotFound' })
    assert.deepEqual(await associations(ofInstance), [])
    await assert.rejects(associations({ AssociationIds: [made.AssociationId] }), {
      name: 'InvalidAssociationID.NotFound',
    })
  })

  test('whose role the caller may pass to EC2, and not otherwise', async () => {
    const UserName = 'launcher'
    await iam.send(new CreateUserCommand({ UserName }))
    const allow = (passed: string, service: string) =>
      iam.send(
        new PutUserPolicyCommand({
          UserName,
          PolicyName: 'launch',
          PolicyDocument: JSON.stringify({
            Version: '2012-10-17',
            Statement: [
              { Effect: 'Allow', Action: 'ec2:*', Resource: '*' },
              {
                Effect: 'Allow',
                Action: 'iam:PassRole',
                Resource: `arn:aws:iam::${accountId}:role/${passed}`,
                Condition: { StringEquals: { 'iam:PassedToService': service } },
              },
              {
                Effect: 'Deny',
                Action: 'ec2:AssociateIamInstanceProfile',
                Resource: '*',
                Condition: {
                  ArnLike: { 'ec2:NewInstanceProfile': 'arn:aws:iam::*:instance-profile/of-db' },
                },
              },
            ],
          }),
        }),
      )
    const user = await world.clientsOfUser(UserName)
    const run = (DryRun: boolean) =>
      user.ec2.send(
        new RunInstancesCommand({
          ...launching,
          ImageId,
          DryRun,
          IamInstanceProfile: { Name: 'of-web' },
        }),
      )
    const refused = { name: 'UnauthorizedOperation', message: /iam:PassRole on resource: .*\/web/ }
    for (const [role, service] of [
      ['db', 'ec2.amazonaws.com'],
      ['web', 'lambda.amazonaws.com'],
    ] as const) {
      await allow(role, service)
      await assert.rejects(run(false), refused)
      await assert.rejects(run(true), refused)
    }
    await allow('*', 'ec2.amazonaws.com')
    await assert.rejects(run(true), { name: 'DryRunOperation' })
    const { Instances: [made] = [] } = await run(false)
    assert.match(made?.IamInstanceProfile?.Arn ?? '', /\/of-web$/)

    const InstanceId = (await launch())?.InstanceId
    await inState(InstanceId, 'running')
    const associate = (Name: string) =>
      user.ec2.send(
        new AssociateIamInstanceProfileCommand({ InstanceId, IamInstanceProfile: { Name } }),
      )
    await assert.rejects(associate('of-db'), { name: 'UnauthorizedOperation' })
    await allow('db', 'ec2.amazonaws.com')
    await assert.rejects(associate('of-web'), refused)
    await allow('web', 'ec2.amazonaws.com')
    await associate('of-web')
    await assert.rejects(
      user.iam.send(
        new AddRoleToInstanceProfileCommand({ InstanceProfileName: 'empty', RoleName: 'web' }),
      ),
      { name: 'AccessDenied' },
    )
  })

  test('by which a policy can tell instances', async () => {
    const UserName = 'stopper'
    await iam.send(new CreateUserCommand({ UserName }))
    const Condition = {
      ArnEquals: { 'ec2:InstanceProfile': `arn:aws:iam::${accountId}:instance-profile/of-web` },
    }
    await iam.send(
      new PutUserPolicyCommand({
        UserName,
        PolicyName: 'stop',
        PolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Action: ['ec2:*', 'iam:PassRole'], Resource: '*' },
            { Effect: 'Deny', Action: ['ec2:Run*', 'ec2:Terminate*'], Resource: '*', Condition },
          ],
        }),
      }),
    )
    const user = await world.clientsOfUser(UserName)
    const refused = { name: 'UnauthorizedOperation', message: /with an explicit deny/ }
    const run = (Name: string) => {
      const IamInstanceProfile = { Name }
      return user.ec2.send(new RunInstancesCommand({ ...launching, ImageId, IamInstanceProfile }))
    }
    await assert.rejects(run('of-web'), refused)
    const { Instances: [other] = [] } = await run('of-db')
    const end = (id: string | undefined) =>
      user.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id ?? ''] }))
    await end(other?.InstanceId)
    await assert.rejects(end((await launch({ Name: 'of-web' }))?.InstanceId), refused)
  })
})
