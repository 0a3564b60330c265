/** What the policies of users say of images, disks and launches, resource by resource, through real clients. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import {
  AuthorizeSecurityGroupIngressCommand,
  CopyImageCommand,
  type CopyImageRequest,
  CopySnapshotCommand,
  CreateImageCommand,
  CreateKeyPairCommand,
  CreateSnapshotCommand,
  CreateSnapshotsCommand,
  CreateTagsCommand,
  CreateVolumeCommand,
  DeleteTagsCommand,
  DeregisterImageCommand,
  DescribeImagesCommand,
  DetachVolumeCommand,
  EnableEbsEncryptionByDefaultCommand,
  DisableEbsEncryptionByDefaultCommand,
  ModifyImageAttributeCommand,
  type ModifyImageAttributeRequest,
  ModifyInstanceAttributeCommand,
  ModifyInstanceMetadataOptionsCommand,
  ModifySnapshotAttributeCommand,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import { CreateUserCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam'
import { DecodeAuthorizationMessageCommand } from '@aws-sdk/client-sts'
import { transaction } from '../src/db/database.ts'
import { insertAccount } from '../src/iam/store.ts'
import type { Image } from '../src/images/image.ts'
import { insertSnapshot } from '../src/snapshots/store.ts'
import { startWithUsers } from './iam-clients.ts'
import { lastFirst } from './last-first.ts'
import { putImage, putInstance, snapshotRow } from './rows.ts'
import { accountId, region } from './system.ts'

const owner = { accountId, region }
const other = '222222222222'
const DryRun = true

type Parts = Awaited<ReturnType<typeof startWithUsers>>
type Ec2 = Parts['admin']['ec2']
let parts: Parts
let user: Ec2
let mine: Image
let others: Image
const opened = lastFirst()

before(async () => {
  parts = await startWithUsers(opened)
  const { admin, system, clientsOfUser } = parts
  await admin.iam.send(new CreateUserCommand({ UserName: 'alice' }))
  user = (await clientsOfUser('alice')).ec2
  mine = await putImage(system.db, owner, { name: 'of team a' })
  others = await putImage(system.db, owner, { name: 'of team b' })
  await tag(mine.id, 'a')
  await tag(others.id, 'b')
})
after(opened.end)

const tag = (id: string, Value: string) =>
  parts.admin.ec2.send(new CreateTagsCommand({ Resources: [id], Tags: [{ Key: 'Team', Value }] }))

interface Statement {
  readonly Sid?: string
  readonly Effect?: 'Allow' | 'Deny'
  readonly Action: string | readonly string[]
  readonly Resource?: string | readonly string[]
  readonly Condition?: object
}

/** From now on the user may do this. */
const allow = (...statements: readonly Statement[]) =>
  parts.admin.iam.send(
    new PutUserPolicyCommand({
      UserName: 'alice',
      PolicyName: 'only',
      PolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: statements.map((one) => ({ Effect: 'Allow', Resource: '*', ...one })),
      }),
    }),
  )

const isAllowed = (call: Promise<unknown>) => assert.rejects(call, { name: 'DryRunOperation' })

interface Decoded {
  readonly explicitDeny: boolean
  readonly matchedStatements: { readonly items: readonly { readonly statementId: string }[] }
  readonly context: {
    readonly action: string
    readonly resource: string
    readonly conditions: {
      readonly items: readonly {
        readonly key: string
        readonly values: { readonly items: readonly { readonly value: string }[] }
      }[]
    }
  }
}

/** Waits for the refusal of a call, and opens what comes with it. */
async function refusal(call: Promise<unknown>) {
  const error = await call.then(
    () => assert.fail('it was allowed'),
    (reason: Error) => reason,
  )
  assert.equal(error.name, 'UnauthorizedOperation', error.message)
  const EncodedMessage = /message: (\S+)$/.exec(error.message)?.[1]
  const decode = new DecodeAuthorizationMessageCommand({ EncodedMessage })
  const { DecodedMessage = '' } = await parts.admin.sts.send(decode)
  const { context, explicitDeny, matchedStatements } = JSON.parse(DecodedMessage) as Decoded
  const keys = Object.fromEntries(
    context.conditions.items.map(({ key, values }) => [
      key,
      values.items.map(({ value }) => value).join(),
    ]),
  )
  const sids = matchedStatements.items.map(({ statementId }) => statementId)
  return { ...context, keys, explicitDeny, sids }
}

const isRefused = async (call: Promise<unknown>, action: string, resource: string | RegExp) => {
  const refused = await refusal(call)
  assert.equal(refused.action, `ec2:${action}`)
  if (typeof resource === 'string') assert.equal(refused.resource, resource)
  else assert.match(refused.resource, resource)
  return refused
}

const run = (input: Partial<RunInstancesCommandInput> = {}) =>
  user.send(
    new RunInstancesCommand({
      DryRun,
      ImageId: mine.id,
      InstanceType: 't3.micro',
      MinCount: 1,
      MaxCount: 1,
      ...input,
    }),
  )

const own = `arn:aws:ec2:${region}:${accountId}`
const imageArn = (id: string) => `arn:aws:ec2:${region}::image/${id}`
const rest = ['instance', 'network-interface', 'security-group', 'subnet', 'volume', 'key-pair']
const RunInstances = 'ec2:RunInstances'
/** Everything of a launch but the image. */
const launching = { Action: RunInstances, Resource: rest.map((type) => `${own}:${type}/*`) }

test('who may launch the images of a team launches those, and no others', async () => {
  const Condition = { StringEquals: { 'aws:ResourceTag/Team': 'a' } }
  const images = { Action: RunInstances, Resource: 'arn:aws:ec2:*::image/*', Condition }
  await allow(launching, images)
  await isAllowed(run())
  const { keys, explicitDeny } = await isRefused(
    run({ ImageId: others.id }),
    'RunInstances',
    imageArn(others.id),
  )
  assert.equal(explicitDeny, false)
  assert.deepEqual(
    [keys['ec2:ResourceTag/Team'], keys['ec2:Owner'], keys['ec2:Public'], keys['ec2:Region']],
    ['b', accountId, 'false', region],
  )
  await isRefused(run({ ImageId: 'ami-00000000000000000' }), 'RunInstances', /image\/ami-0{17}$/)
  // A snapshot that the call names is used by it, too.
  const snapshot = snapshotRow(owner)
  await transaction(parts.system.db.writes, (tx) => insertSnapshot(tx, snapshot))
  const Ebs = { SnapshotId: snapshot.id }
  const BlockDeviceMappings = [{ DeviceName: '/dev/sdf', Ebs }]
  await isRefused(run({ BlockDeviceMappings }), 'RunInstances', /::snapshot\/snap-/)
})

test('each part of a launch is judged, by its id where it has one', async () => {
  const all = { Action: 'ec2:*' }
  await allow(all)
  await parts.admin.ec2.send(new CreateKeyPairCommand({ KeyName: 'a key' }))
  await isAllowed(run({ KeyName: 'a key' }))
  for (const [type, pattern] of [
    ['image', /::image\/ami-[0-9a-f]{17}$/],
    ['instance', /:instance\/\*$/],
    ['volume', /:volume\/\*$/],
    ['network-interface', /:network-interface\/\*$/],
    ['security-group', /:security-group\/sg-[0-9a-f]{17}$/],
    ['subnet', /:subnet\/subnet-[0-9a-f]{17}$/],
    ['key-pair', /:key-pair\/a key$/],
  ] as const) {
    const Sid = type.replace('-', '')
    const Resource = `arn:aws:ec2:*:*:${type}/*`
    await allow(all, { Sid, Effect: 'Deny', Action: RunInstances, Resource })
    const { explicitDeny, sids } = await isRefused(
      run({ KeyName: 'a key' }),
      'RunInstances',
      pattern,
    )
    assert.deepEqual([explicitDeny, sids], [true, [Sid]])
  }
})

test('a launch is kept to small machines, encrypted disks and the newest metadata service', async () => {
  const deny = (Sid: string, type: string, Condition: object): Statement => ({
    Sid,
    Effect: 'Deny',
    Action: [RunInstances, 'ec2:CreateVolume'],
    Resource: `arn:aws:ec2:*:*:${type}/*`,
    Condition,
  })
  await allow(
    { Action: 'ec2:*' },
    deny('Large', 'instance', { StringNotLike: { 'ec2:InstanceType': ['t3.micro', 't3.nano'] } }),
    deny('Plain', 'volume', { Bool: { 'ec2:Encrypted': 'false' } }),
    deny('OldImds', 'instance', { StringNotEquals: { 'ec2:MetadataHttpTokens': 'required' } }),
  )
  const MetadataOptions = { HttpTokens: 'required' } as const
  const root = { DeviceName: '/dev/xvda', Ebs: { Encrypted: true } }
  const right = { MetadataOptions, BlockDeviceMappings: [root] }
  const sidsOf = async (call: Promise<unknown>) => (await refusal(call)).sids
  await isAllowed(run(right))
  assert.deepEqual(await sidsOf(run({ ...right, InstanceType: 'm5.large' })), ['Large'])
  assert.deepEqual(await sidsOf(run({ ...right, MetadataOptions: undefined })), ['OldImds'])
  assert.deepEqual(await sidsOf(run({ MetadataOptions })), ['Plain'])
  // One plain disk beside an encrypted one is one too many.
  const BlockDeviceMappings = [root, { DeviceName: '/dev/sdf', Ebs: { VolumeSize: 1 } }]
  assert.deepEqual(await sidsOf(run({ ...right, BlockDeviceMappings })), ['Plain'])
  const volume = { AvailabilityZone: `${region}a`, Size: 1, DryRun }
  assert.deepEqual(await sidsOf(user.send(new CreateVolumeCommand(volume))), ['Plain'])
  await isAllowed(user.send(new CreateVolumeCommand({ ...volume, Encrypted: true })))
  // What the account encrypts without a word is encrypted.
  const { ec2 } = parts.admin
  await ec2.send(new EnableEbsEncryptionByDefaultCommand({}))
  await isAllowed(run({ MetadataOptions }))
  await isAllowed(user.send(new CreateVolumeCommand(volume)))
  await ec2.send(new DisableEbsEncryptionByDefaultCommand({}))
})

test('who has to tag what it launches does so, and may tag in no other way', async () => {
  const Condition = { StringEquals: { 'aws:RequestTag/Team': 'a' } }
  const CreateAction = { StringEquals: { 'ec2:CreateAction': 'RunInstances' } }
  await allow(
    {
      Action: RunInstances,
      Resource: [imageArn('*'), ...rest.slice(1).map((type) => `${own}:${type}/*`)],
    },
    { Action: RunInstances, Resource: `${own}:instance/*`, Condition },
    { Action: 'ec2:CreateTags', Resource: `${own}:*/*`, Condition: CreateAction },
  )
  const tagged = (Value: string, ResourceType: 'instance' | 'volume' = 'instance') => ({
    TagSpecifications: [{ ResourceType, Tags: [{ Key: 'Team', Value }] }],
  })
  await isAllowed(run(tagged('a')))
  await isRefused(run(), 'RunInstances', `${own}:instance/*`)
  await isRefused(run(tagged('b')), 'RunInstances', `${own}:instance/*`)
  await isRefused(run(tagged('a', 'volume')), 'RunInstances', `${own}:instance/*`)
  const Tags = [{ Key: 'Team', Value: 'a' }]
  const Resources = [mine.id, others.id]
  const later = new CreateTagsCommand({ Resources, Tags, DryRun })
  const { keys } = await isRefused(user.send(later), 'CreateTags', imageArn(mine.id))
  assert.deepEqual(
    [keys['aws:RequestTag/Team'], keys['aws:TagKeys'], keys['ec2:CreateAction']],
    ['a', 'Team', undefined],
  )
  await allow({ Action: RunInstances })
  const { resource } = await isRefused(run(tagged('a')), 'CreateTags', `${own}:instance/*`)
  assert.equal(resource, `${own}:instance/*`)
})

test('tags are put on and taken from what has the right tag already', async () => {
  const Condition = {
    StringEquals: { 'ec2:ResourceTag/Team': 'a' },
    'ForAllValues:StringNotEquals': { 'aws:TagKeys': ['Team'] },
  }
  await allow({ Action: ['ec2:CreateTags', 'ec2:DeleteTags'], Condition })
  const tags = (Key: string, ...Resources: string[]) => ({ Resources, Tags: [{ Key }], DryRun })
  await isAllowed(user.send(new CreateTagsCommand(tags('Name', mine.id))))
  await isAllowed(user.send(new DeleteTagsCommand(tags('Name', mine.id))))
  const both = new CreateTagsCommand(tags('Name', mine.id, others.id))
  await isRefused(user.send(both), 'CreateTags', imageArn(others.id))
  await isRefused(
    user.send(new DeleteTagsCommand(tags('Team', mine.id))),
    'DeleteTags',
    imageArn(mine.id),
  )
})

test('an image is shared with the accounts that a policy names, one by one', async () => {
  const action = 'ModifyImageAttribute'
  const share = (input: Omit<ModifyImageAttributeRequest, 'ImageId'>) =>
    user.send(new ModifyImageAttributeCommand({ ImageId: mine.id, DryRun, ...input }))
  const add = (...ids: string[]) => ({
    LaunchPermission: { Add: ids.map((UserId) => ({ UserId })) },
  })
  const OperationType = 'add' as const

  const Condition = { StringEquals: { 'ec2:Add/userId': other } }
  await allow({ Action: `ec2:${action}`, Condition })
  await isAllowed(share(add(other)))
  await isAllowed(share({ Attribute: 'launchPermission', OperationType, UserIds: [other] }))
  const foreign = '333333333333'
  const { keys } = await isRefused(share(add(other, foreign)), action, imageArn(mine.id))
  assert.deepEqual([keys['ec2:Add/userId'], keys['ec2:Attribute']], [foreign, 'LaunchPermission'])
  const older = { Attribute: 'launchPermission', OperationType, UserIds: [foreign] }
  await isRefused(share(older), action, imageArn(mine.id))
  await isRefused(
    share({ LaunchPermission: { Remove: [{ UserId: other }] } }),
    action,
    imageArn(mine.id),
  )
  await isRefused(share({ Description: { Value: 'x' } }), action, imageArn(mine.id))

  // The other way round: all but to make it public, and but one description.
  const deny = (Sid: string, StringEquals: object): Statement => ({
    Sid,
    Effect: 'Deny',
    Action: `ec2:${action}`,
    Condition: { StringEquals },
  })
  await allow(
    { Action: 'ec2:*' },
    deny('Public', { 'ec2:Add/group': 'all' }),
    deny('Kept', { 'ec2:Remove/userId': other }),
    deny('Words', { 'ec2:Attribute/Description': 'bad', 'ec2:Attribute': 'Description' }),
  )
  await isAllowed(share(add(other, foreign)))
  const sidsOf = async (call: Promise<unknown>) => (await refusal(call)).sids
  const dashed = { LaunchPermission: { Remove: [{ UserId: '2222-2222-2222' }] } }
  assert.deepEqual(await sidsOf(share(dashed)), ['Kept'])
  const group = { LaunchPermission: { Add: [{ UserId: other }, { Group: 'all' as const }] } }
  assert.deepEqual(await sidsOf(share(group)), ['Public'])
  const kept = { LaunchPermission: { Remove: [{ UserId: foreign }, { UserId: other }] } }
  assert.deepEqual(await sidsOf(share(kept)), ['Kept'])
  assert.deepEqual(await sidsOf(share({ Description: { Value: 'bad' } })), ['Words'])
  assert.deepEqual(await sidsOf(share({ Attribute: 'description', Value: 'bad' })), ['Words'])
  await isAllowed(share({ Description: { Value: 'good' } }))
})

test('a snapshot is shared with nobody by who may only take it back', async () => {
  const snapshot = snapshotRow(owner)
  await transaction(parts.system.db.writes, (tx) => insertSnapshot(tx, snapshot))
  const Condition = { StringLike: { 'ec2:Remove/userId': '*' } }
  await allow({ Action: 'ec2:ModifySnapshotAttribute', Condition })
  const modify = (CreateVolumePermission: object) =>
    user.send(
      new ModifySnapshotAttributeCommand({
        SnapshotId: snapshot.id,
        Attribute: 'createVolumePermission',
        CreateVolumePermission,
        DryRun,
      }),
    )
  await isAllowed(modify({ Remove: [{ UserId: other }] }))
  const arn = `arn:aws:ec2:${region}::snapshot/${snapshot.id}`
  const action = 'ModifySnapshotAttribute'
  const { keys } = await isRefused(modify({ Add: [{ Group: 'all' }] }), action, arn)
  assert.deepEqual(
    [keys['ec2:Add/group'], keys['ec2:VolumeSize'], keys['ec2:Encrypted'], keys['ec2:Owner']],
    ['all', '1', 'false', accountId],
  )
  await isRefused(modify({ Remove: [{ UserId: other }], Add: [{ UserId: other }] }), action, arn)
})

test('who may only deregister images of its team leaves all others alone', async () => {
  const Condition = { StringEquals: { 'ec2:ResourceTag/Team': 'a' } }
  await allow({ Action: 'ec2:DeregisterImage', Condition }, { Action: 'ec2:DescribeImages' })
  const deregister = (ImageId: string) => user.send(new DeregisterImageCommand({ ImageId }))
  await isRefused(deregister(others.id), 'DeregisterImage', imageArn(others.id))
  const gone = await putImage(parts.system.db, owner, { name: 'to go' })
  await isRefused(deregister(gone.id), 'DeregisterImage', imageArn(gone.id))
  await tag(gone.id, 'a')
  await deregister(gone.id)
  const { Images } = await user.send(new DescribeImagesCommand({ Owners: ['self'] }))
  assert.deepEqual(Images?.map(({ ImageId }) => ImageId).sort(), [mine.id, others.id].sort())
  // One's own tags on what another account shares do not make it one's own.
  const foreign = { accountId: other, region }
  await parts.system.settingsOf(other)
  const shared = await putImage(parts.system.db, foreign, { name: 'theirs', isPublic: true })
  await tag(shared.id, 'a')
  await assert.rejects(deregister(shared.id), { name: 'AuthFailure' })
})

test('images of some owner may be launched, whoever has them', async () => {
  const foreign = { accountId: other, region }
  await parts.system.settingsOf(other)
  const theirs = await putImage(parts.system.db, foreign, { name: 'public', isPublic: true })
  const hidden = await putImage(parts.system.db, foreign, { name: 'hidden' })
  const Condition = { StringEquals: { 'ec2:Owner': other }, Bool: { 'ec2:Public': 'true' } }
  await allow(launching, { Action: RunInstances, Resource: imageArn('*'), Condition })
  await isAllowed(run({ ImageId: theirs.id }))
  await isRefused(run(), 'RunInstances', imageArn(mine.id))
  const amazon = { accountId: '888888888888', region }
  await transaction(parts.system.db.writes, (tx) =>
    insertAccount(tx, { id: amazon.accountId, name: 'starters', alias: 'amazon' }, new Date()),
  )
  const starter = await putImage(parts.system.db, amazon, { name: 'starter', isPublic: true })
  const { keys: known } = await isRefused(
    run({ ImageId: starter.id }),
    'RunInstances',
    imageArn(starter.id),
  )
  assert.equal(known['ec2:Owner'], 'amazon')
  // Of what one cannot see, nothing is known.
  const { keys } = await isRefused(run({ ImageId: hidden.id }), 'RunInstances', imageArn(hidden.id))
  assert.equal(keys['ec2:Owner'], undefined)
})

test('an instance and its disks are judged by what they are', async () => {
  const { system } = parts
  const instance = await putInstance(system.db, owner, {
    imageId: mine.id,
    instanceType: 't3.micro',
  })
  const arn = `${own}:instance/${instance.id}`
  await tag(instance.id, 'a')
  const InstanceId = instance.id
  const Condition = { StringEquals: { 'ec2:ResourceTag/Team': 'a', 'ec2:InstanceType': 't3.nano' } }
  const Action = ['ec2:TerminateInstances', 'ec2:CreateImage', 'ec2:ModifyInstance*']
  await allow(
    { Action, Condition },
    { Action, Resource: [imageArn('*'), 'arn:aws:ec2:*::snapshot/*'] },
  )
  const terminate = new TerminateInstancesCommand({ InstanceIds: [InstanceId], DryRun })
  const { keys } = await isRefused(user.send(terminate), 'TerminateInstances', arn)
  assert.equal(keys['ec2:InstanceType'], instance.instanceType)
  assert.equal(keys['ec2:MetadataHttpTokens'], instance.metadataOptions.httpTokens)
  const image = new CreateImageCommand({ InstanceId, Name: 'a name', DryRun })
  await isRefused(user.send(image), 'CreateImage', arn)
  const snapshots = new CreateSnapshotsCommand({ InstanceSpecification: { InstanceId }, DryRun })
  await isRefused(user.send(snapshots), 'CreateSnapshots', arn)

  const right = { StringEquals: { 'ec2:InstanceType': instance.instanceType } }
  const protect: Statement = {
    Effect: 'Deny',
    Action: 'ec2:Modify*',
    Condition: {
      StringEquals: { 'ec2:Attribute': ['DisableApiTermination', 'HttpEndpoint'] },
    },
  }
  await allow({ Action, Condition: right }, protect)
  await isAllowed(user.send(terminate))
  const modify = (input: object) =>
    user.send(new ModifyInstanceAttributeCommand({ InstanceId, DryRun, ...input }))
  await isAllowed(modify({ EbsOptimized: { Value: true } }))
  const word = { Attribute: 'disableApiTermination', Value: 'false' }
  for (const input of [{ DisableApiTermination: { Value: false } }, word]) {
    const refused = await isRefused(modify(input), 'ModifyInstanceAttribute', arn)
    assert.equal(refused.keys['ec2:Attribute/DisableApiTermination'], 'false')
  }
  const options = (input: object) =>
    user.send(new ModifyInstanceMetadataOptionsCommand({ InstanceId, DryRun, ...input }))
  await isAllowed(options({ HttpTokens: 'required' }))
  // What is denied alone is denied in company.
  await isRefused(
    options({ HttpTokens: 'required', HttpEndpoint: 'disabled' }),
    'ModifyInstanceMetadataOptions',
    arn,
  )
})

test('disks and their copies are judged on both sides', async () => {
  const { ec2 } = parts.admin
  const zone = { AvailabilityZone: `${region}a`, Size: 3 }
  const { VolumeId = '' } = await ec2.send(new CreateVolumeCommand(zone))
  const arn = `${own}:volume/${VolumeId}`
  const take = () => user.send(new CreateSnapshotCommand({ VolumeId, DryRun }))
  await allow({ Action: 'ec2:CreateSnapshot', Resource: 'arn:aws:ec2:*::snapshot/*' })
  await isRefused(take(), 'CreateSnapshot', arn)
  const Condition = { ArnEquals: { 'ec2:ParentVolume': arn } }
  const Resource = `arn:aws:ec2:${region}::snapshot/*`
  const making = { Action: 'ec2:CreateSnapshot', Resource, Condition }
  await allow({ Action: 'ec2:CreateSnapshot', Resource: arn }, making)
  await isAllowed(take())
  await allow({ Action: 'ec2:CreateSnapshot', Resource: arn })
  await isRefused(take(), 'CreateSnapshot', Resource)
  const detach = new DetachVolumeCommand({ VolumeId, DryRun })
  await isRefused(user.send(detach), 'DetachVolume', arn)

  const snapshot = snapshotRow(owner)
  await transaction(parts.system.db.writes, (tx) => insertSnapshot(tx, snapshot))
  const copy = new CopySnapshotCommand({
    SourceRegion: region,
    SourceSnapshotId: snapshot.id,
    DryRun,
  })
  const source = `arn:aws:ec2:${region}::snapshot/${snapshot.id}`
  await allow({ Action: 'ec2:CopySnapshot', Resource: source })
  await isRefused(user.send(copy), 'CopySnapshot', Resource)
  await allow({ Action: 'ec2:*' }, { Effect: 'Deny', Action: 'ec2:CopySnapshot', Resource: source })
  await isRefused(user.send(copy), 'CopySnapshot', source)
})

test('snapshots of an instance need each of its disks, and tell nothing of those of others', async () => {
  const { db } = parts.system
  const Action = 'ec2:CreateSnapshots'
  await allow({ Action, Resource: `${own}:instance/*` })
  const take = (InstanceId: string, more: object = {}) => {
    const InstanceSpecification = { InstanceId, ...more }
    return user.send(new CreateSnapshotsCommand({ InstanceSpecification, DryRun }))
  }
  const { id } = await putInstance(db, owner, { imageId: mine.id })
  await isRefused(take(id), 'CreateSnapshots', /:volume\/vol-[0-9a-f]{17}$/)
  await isRefused(take(id, { ExcludeBootVolume: true }), 'CreateSnapshots', `${own}:volume/*`)
  const foreign = await putInstance(db, { accountId: other, region }, { imageId: mine.id })
  await isRefused(take(foreign.id), 'CreateSnapshots', `${own}:volume/*`)
})

test('the example of the user guide keeps to what it says', async () => {
  const guide = await readFile(new URL('../docs/user-guide.md', import.meta.url), 'utf8')
  const example = /```json\n(\[.*?\])\n```/s.exec(guide)?.[1] ?? ''
  await allow(...(JSON.parse(example) as Statement[]))
  const Ebs = { Encrypted: true }
  const right = {
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs }],
    TagSpecifications: [{ ResourceType: 'instance' as const, Tags: [{ Key: 'Team', Value: 'a' }] }],
  }
  await isAllowed(run(right))
  const sidsOf = async (call: Promise<unknown>) => (await refusal(call)).sids
  assert.deepEqual(await sidsOf(run({ ...right, ImageId: others.id })), ['OwnImages'])
  assert.deepEqual(await sidsOf(run({ ...right, InstanceType: 'm5.large' })), ['Small'])
  assert.deepEqual(await sidsOf(run({ ...right, TagSpecifications: undefined })), ['Tagged'])
  assert.deepEqual(await sidsOf(run({ ...right, BlockDeviceMappings: [] })), ['Encrypted'])
})

test('a security group is judged by its VPC, also where it is called by its name', async () => {
  const Condition = { ArnLike: { 'ec2:Vpc': `${own}:vpc/vpc-*` } }
  await allow({ Action: 'ec2:AuthorizeSecurityGroupIngress', Condition })
  const IpPermissions = [{ IpProtocol: 'tcp', FromPort: 22, ToPort: 22 }]
  const authorize = (GroupName: string) =>
    user.send(new AuthorizeSecurityGroupIngressCommand({ GroupName, IpPermissions, DryRun }))
  await isAllowed(authorize('default'))
  const action = 'AuthorizeSecurityGroupIngress'
  await isRefused(authorize('no such'), action, `${own}:security-group/no such`)
})

test('an image takes those of its disks along that one may delete', async () => {
  const { ec2 } = parts.admin
  const { db } = parts.system
  const [free, kept] = [snapshotRow(owner), snapshotRow(owner)]
  await transaction(db.writes, async (tx) => {
    for (const one of [free, kept]) await insertSnapshot(tx, one)
  })
  await ec2.send(
    new CreateTagsCommand({ Resources: [kept.id], Tags: [{ Key: 'Keep', Value: '' }] }),
  )
  const ebs = { sizeGiB: 1, type: 'gp3', deleteOnTermination: true }
  const { id: ImageId } = await putImage(db, owner, {
    name: 'of two disks',
    blockDevices: [free, kept].map(({ id: snapshotId }, at) => ({
      deviceName: `/dev/xvd${'ab'[at]}`,
      ebs: { ...ebs, snapshotId },
    })),
  })
  await allow(
    { Action: ['ec2:DeregisterImage', 'ec2:DeleteSnapshot'] },
    {
      Effect: 'Deny',
      Action: 'ec2:DeleteSnapshot',
      Condition: { Null: { 'aws:ResourceTag/Keep': 'false' } },
    },
  )
  const command = new DeregisterImageCommand({ ImageId, DeleteAssociatedSnapshots: true })
  assert.deepEqual((await user.send(command)).DeleteSnapshotResults, [
    { SnapshotId: free.id, ReturnCode: 'success' },
    { SnapshotId: kept.id, ReturnCode: 'missing-permissions' },
  ])
})

test('an image is copied by who may make one, and its tags by who may put them on', async () => {
  const making = [imageArn('*'), `arn:aws:ec2:${region}::snapshot/*`]
  const copy = (input: Partial<CopyImageRequest> = {}) => {
    const from = { SourceRegion: region, SourceImageId: mine.id, Name: 'a copy' }
    return user.send(new CopyImageCommand({ ...from, ...input, DryRun }))
  }
  // What it is copied from is a matter of who shares it with whom.
  const deny: Statement = { Effect: 'Deny', Action: 'ec2:CopyImage', Resource: imageArn(mine.id) }
  await allow({ Action: 'ec2:CopyImage', Resource: making }, deny)
  await isAllowed(copy())
  const { keys } = await isRefused(copy({ CopyImageTags: true }), 'CreateTags', imageArn('*'))
  assert.deepEqual([keys['aws:RequestTag/Team'], keys['ec2:CreateAction']], ['a', 'CopyImage'])
  await allow({ Action: 'ec2:CopyImage', Resource: imageArn('*') })
  await isRefused(copy(), 'CopyImage', /::snapshot\/\*$/)
})
