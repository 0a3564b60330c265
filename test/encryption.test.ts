/** Which disks are encrypted, and with which key: what calls say of it, and what they refuse, through real clients. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  CopyImageCommand,
  CopySnapshotCommand,
  type CopySnapshotCommandInput,
  CopyVolumesCommand,
  CreateSnapshotCommand,
  CreateVolumeCommand,
  type CreateVolumeCommandInput,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  DisableEbsEncryptionByDefaultCommand,
  type EC2Client,
  EnableEbsEncryptionByDefaultCommand,
  GetEbsDefaultKmsKeyIdCommand,
  GetEbsEncryptionByDefaultCommand,
  ModifyEbsDefaultKmsKeyIdCommand,
  ModifyImageAttributeCommand,
  ModifySnapshotAttributeCommand,
  ModifySnapshotTierCommand,
  RegisterImageCommand,
  ResetEbsDefaultKmsKeyIdCommand,
  RestoreSnapshotTierCommand,
  RunInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
  type RunInstancesCommandInput,
} from '@aws-sdk/client-ec2'
import { transaction } from '../src/db/database.ts'
import { digestOf } from '../src/lib/digest.ts'
import { insertSnapshot } from '../src/snapshots/store.ts'
import { blankSnapshot, registerBlank } from './blank-image.ts'
import type { databases } from './databases.ts'
import { callerOf, other } from './kms-sdk.ts'
import { snapshotRow } from './rows.ts'
import { accountId, allowAll, region, startSystem, type TestSystem } from './system.ts'

const west = 'us-west-2'
const missingKey = '01234567-89ab-4def-8123-456789abcdef'
const arnOf = (id: string, account = accountId, where = region) =>
  `arn:aws:kms:${where}:${account}:key/${id}`

/** A system where nothing is done about calls, with a plain snapshot and an encrypted one. */
async function start(context: TestContext, database: keyof typeof databases = 'sqlite') {
  const system = await startSystem(context, { isIdle: true, database })
  const { ec2, db } = system
  const kms = callerOf(context, system.settingsWith())
  const key = async (call = kms) => (await call('CreateKey')).KeyMetadata?.Arn ?? ''
  const ebsKey = async (call = kms) =>
    (await call('DescribeKey', { KeyId: 'alias/aws/ebs' })).KeyMetadata?.Arn ?? ''
  const put = async (kmsKeyArn?: string, account = accountId) => {
    const owner = { accountId: account, region }
    const row = snapshotRow(owner, kmsKeyArn === undefined ? {} : { kmsKeyArn })
    await transaction(db.writes, (tx) => insertSnapshot(tx, row))
    return row.id
  }
  const create = async (input: Partial<CreateVolumeCommandInput> = {}, client: EC2Client = ec2) => {
    const Size = input.SnapshotId === undefined ? { Size: 1 } : {}
    const wanted = { AvailabilityZone: `${region}a`, ...Size, ...input }
    return await client.send(new CreateVolumeCommand(wanted))
  }
  const copy = async (input: Partial<CopySnapshotCommandInput>, client: EC2Client = ec2) => {
    const usual = { SourceRegion: region, SourceSnapshotId: undefined }
    const { SnapshotId = '' } = await client.send(new CopySnapshotCommand({ ...usual, ...input }))
    const command = new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] })
    const { Snapshots: [found] = [] } = await client.send(command)
    assert(found)
    return found
  }
  const share = (SnapshotId: string, who: object) =>
    ec2.send(new ModifySnapshotAttributeCommand({ SnapshotId, CreateVolumePermission: who }))
  const clients: Pick<TestSystem, 'client' | 'clientWith' | 'settingsOf' | 'settingsWith'> = {
    client: (...given) => system.client(...given),
    clientWith: (...given) => system.clientWith(...given),
    settingsOf: (...given) => system.settingsOf(...given),
    settingsWith: (...given) => system.settingsWith(...given),
  }
  return { ...system, ...clients, kms, key, ebsKey, put, create, copy, share }
}

for (const database of ['sqlite', 'postgres'] as const) {
  test(`an account encrypts all its new disks of a Region (${database})`, async (context) => {
    const { ec2, clientWith, kms, key, ebsKey, create, copy, put } = await start(context, database)
    const inWest = clientWith({ region: west })
    const isOn = async (client = ec2) =>
      (await client.send(new GetEbsEncryptionByDefaultCommand({}))).EbsEncryptionByDefault
    const defaultKey = async () => (await ec2.send(new GetEbsDefaultKmsKeyIdCommand({}))).KmsKeyId
    assert.deepEqual([await isOn(), await defaultKey()], [false, 'alias/aws/ebs'])
    assert.deepEqual([(await create()).Encrypted, (await create()).KmsKeyId], [false, undefined])

    const on = await ec2.send(new EnableEbsEncryptionByDefaultCommand({}))
    assert.equal(on.EbsEncryptionByDefault, true)
    assert.deepEqual([await isOn(), await isOn(inWest)], [true, false])
    const blank = await create()
    assert.deepEqual([blank.Encrypted, blank.KmsKeyId], [true, await ebsKey()])
    const snapshot = await put()
    assert.equal((await create({ SnapshotId: snapshot })).KmsKeyId, await ebsKey())
    assert.equal((await create({ Encrypted: false })).Encrypted, true, 'none can be left out')
    assert.equal((await copy({ SourceSnapshotId: snapshot })).KmsKeyId, await ebsKey())

    const own = await key()
    await kms('CreateAlias', { AliasName: 'alias/disks', TargetKeyId: own })
    const changed = await ec2.send(new ModifyEbsDefaultKmsKeyIdCommand({ KmsKeyId: 'alias/disks' }))
    assert.deepEqual([changed.KmsKeyId, await defaultKey()], [own, own])
    assert.equal((await create()).KmsKeyId, own)
    assert.equal(await isOn(), true, 'the key says nothing of the switch')
    assert.equal(
      (await create({ Encrypted: true, KmsKeyId: 'alias/aws/ebs' })).KmsKeyId,
      await ebsKey(),
    )

    for (const KmsKeyId of [missingKey, 'alias/none', arnOf(missingKey, other), 'no key']) {
      await assert.rejects(ec2.send(new ModifyEbsDefaultKmsKeyIdCommand({ KmsKeyId })), {
        name: 'InvalidParameterValue',
      })
    }
    await kms('DisableKey', { KeyId: own })
    await assert.rejects(create(), { name: 'InvalidParameterValue', message: /is disabled/ })
    const reset = await ec2.send(new ResetEbsDefaultKmsKeyIdCommand({}))
    assert.deepEqual([reset.KmsKeyId, await defaultKey()], [await ebsKey(), 'alias/aws/ebs'])
    assert.equal((await create()).KmsKeyId, await ebsKey())
    const off = await ec2.send(new DisableEbsEncryptionByDefaultCommand({}))
    assert.deepEqual([off.EbsEncryptionByDefault, await isOn()], [false, false])
    assert.equal((await create()).Encrypted, false)
  })
}

test('a volume is encrypted with the key that the call names in any of the four ways', async (context) => {
  const { ec2, kms, key, ebsKey, create } = await start(context)
  const own = await key()
  await kms('CreateAlias', { AliasName: 'alias/disks', TargetKeyId: own })
  const names = [
    own,
    own.split('/')[1] ?? '',
    'alias/disks',
    `arn:aws:kms:${region}:${accountId}:alias/disks`,
  ]
  const made: string[] = []
  for (const KmsKeyId of names) {
    const volume = await create({ Encrypted: true, KmsKeyId })
    assert.deepEqual([volume.Encrypted, volume.KmsKeyId, volume.State], [true, own, 'creating'])
    made.push(volume.VolumeId ?? '')
  }
  const plain = await create()
  assert.equal((await create({ Encrypted: true })).KmsKeyId, await ebsKey())
  const filtered = async (value: string) => {
    const Filters = [{ Name: 'encrypted', Values: [value] }]
    const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({ Filters }))
    return Volumes.map(({ VolumeId }) => VolumeId)
  }
  assert.deepEqual(await filtered('false'), [plain.VolumeId])
  assert.equal((await filtered('true')).length, made.length + 1)
  const { InstanceTypes: [type] = [] } = await ec2.send(
    new DescribeInstanceTypesCommand({ InstanceTypes: ['t3.nano'] }),
  )
  assert.equal(type?.EbsInfo?.EncryptionSupport, 'supported')

  await assert.rejects(create({ KmsKeyId: own }), {
    name: 'InvalidParameterDependency',
    message: 'The parameter KmsKeyId requires the parameter Encrypted to be set.',
  })
  const foreign = await key(callerOf(context, await (await start(context)).settingsOf(other)))
  const refusals = [
    missingKey,
    'alias/none',
    foreign,
    arnOf(own.split('/')[1] ?? '', accountId, west),
    '!',
  ]
  for (const KmsKeyId of refusals) {
    await assert.rejects(create({ Encrypted: true, KmsKeyId }), {
      name: 'InvalidParameterValue',
      message: /^The specified KMS key is not accessible\./,
    })
  }
  await kms('DisableKey', { KeyId: own })
  const refused = create({ Encrypted: true, KmsKeyId: own })
  await assert.rejects(refused, { name: 'InvalidParameterValue', message: /is disabled/ })
  await kms('EnableKey', { KeyId: own })
  await create({ Encrypted: true, KmsKeyId: own })
  // A key that disks are encrypted with can go, and they go with it.
  await kms('ScheduleKeyDeletion', { KeyId: own, PendingWindowInDays: 7 })
  await assert.rejects(create({ Encrypted: true, KmsKeyId: own }), {
    message: /is pending deletion/,
  })
  await kms('CancelKeyDeletion', { KeyId: own })
  await assert.rejects(create({ Encrypted: true, KmsKeyId: own }), { message: /is disabled/ })
})

test('what is made of something encrypted is never plain', async (context) => {
  const { ec2, key, ebsKey, put, create, copy, clientWith } = await start(context)
  const [own, second] = [await key(), await key()]
  // The disk key is there with the first disk.
  await create({ Encrypted: true, KmsKeyId: own })
  const SnapshotId = await put(own)
  assert.equal((await create({ SnapshotId })).KmsKeyId, own)
  assert.equal((await create({ SnapshotId, Encrypted: true })).KmsKeyId, own)
  const other2 = await create({ SnapshotId, Encrypted: true, KmsKeyId: second })
  assert.equal(other2.KmsKeyId, second)
  const plain = {
    name: 'InvalidRequest',
    message: /Creating an unencrypted copy from an encrypted/,
  }
  await assert.rejects(create({ SnapshotId, Encrypted: false }), plain)
  await assert.rejects(copy({ SourceSnapshotId: SnapshotId, Encrypted: false }), plain)

  const same = await copy({ SourceSnapshotId: SnapshotId })
  assert.deepEqual([same.Encrypted, same.KmsKeyId, same.State], [true, own, 'pending'])
  const under = { Encrypted: true, KmsKeyId: second }
  assert.equal((await copy({ SourceSnapshotId: SnapshotId, ...under })).KmsKeyId, second)
  const inWest = clientWith({ region: west })
  const far = await copy({ SourceSnapshotId: SnapshotId }, inWest)
  assert.match(far.KmsKeyId ?? '', new RegExp(`^arn:aws:kms:${west}:${accountId}:key/`))
  const plainSnapshot = await put()
  assert.equal((await copy({ SourceSnapshotId: plainSnapshot })).Encrypted, false)
  assert.equal(
    (await copy({ SourceSnapshotId: plainSnapshot, Encrypted: true })).KmsKeyId,
    await ebsKey(),
  )
  await assert.rejects(copy({ SourceSnapshotId: plainSnapshot, KmsKeyId: own }), {
    name: 'InvalidParameterDependency',
  })

  const Filters = [{ Name: 'encrypted', Values: ['true'] }]
  const { Snapshots = [] } = await ec2.send(new DescribeSnapshotsCommand({ Filters }))
  assert.equal(Snapshots.length, 4)
  assert(Snapshots.every(({ Encrypted, KmsKeyId }) => Encrypted && KmsKeyId))
})

test('a copy under a key that cannot be used is there, and has failed', async (context) => {
  const { ec2, kms, key, put, copy, create } = await start(context)
  const SnapshotId = await put()
  for (const KmsKeyId of [missingKey, arnOf(missingKey, other)]) {
    const failed = await copy({ SourceSnapshotId: SnapshotId, Encrypted: true, KmsKeyId })
    assert.deepEqual([failed.State, failed.Encrypted], ['error', true])
    assert.match(failed.StateMessage ?? '', /^Given key ID is not accessible/)
    assert.equal(failed.KmsKeyId, KmsKeyId.startsWith('arn') ? KmsKeyId : arnOf(KmsKeyId))
  }
  const own = await key()
  await create({ Encrypted: true, KmsKeyId: own })
  const encrypted = await put(own)
  await kms('DisableKey', { KeyId: own })
  const failed = await copy({ SourceSnapshotId: encrypted })
  assert.match(failed.StateMessage ?? '', /is disabled/)
  await assert.rejects(create({ SnapshotId: encrypted }), { name: 'InvalidParameterValue' })
  const { Snapshots = [] } = await ec2.send(new DescribeSnapshotsCommand({}))
  assert.equal(Snapshots.length, 5, 'a failed copy can be looked at')
})

test('a snapshot is shared under one’s own key alone, and never with everyone', async (context) => {
  const { ec2, settingsOf, client, key, ebsKey, put, create, copy, share } = await start(context)
  const [managed, own] = [await put(await ebsKey()), await put(await key())]
  const account = { Add: [{ UserId: other }] }
  await assert.rejects(share(managed, account), {
    name: 'OperationNotPermitted',
    message: 'Encrypted snapshots with EBS default key cannot be shared',
  })
  for (const id of [managed, own]) {
    await assert.rejects(share(id, { Add: [{ Group: 'all' }] }), {
      name: 'OperationNotPermitted',
    })
  }
  await share(managed, { Remove: [{ UserId: other }] })
  await share(own, account)
  // The other account sees it; the key is not its own, and a key has no policy that would give it.
  const them = await client(other)
  const { Snapshots = [] } = await them.send(new DescribeSnapshotsCommand({ SnapshotIds: [own] }))
  assert.equal(Snapshots[0]?.Encrypted, true)
  await assert.rejects(create({ SnapshotId: own }, them), {
    name: 'InvalidParameterValue',
    message: /is of another account/,
  })
  const theirs = await key(callerOf(context, await settingsOf(other)))
  const failed = await copy({ SourceSnapshotId: own, Encrypted: true, KmsKeyId: theirs }, them)
  assert.deepEqual([failed.State, failed.KmsKeyId], ['error', theirs])
  // A plain one is encrypted by who it is shared with.
  const plain = await put()
  await share(plain, account)
  assert.equal(
    (await copy({ SourceSnapshotId: plain, Encrypted: true, KmsKeyId: theirs }, them)).KmsKeyId,
    theirs,
  )
  assert.equal(
    (await ec2.send(new DescribeSnapshotsCommand({ OwnerIds: ['self'] }))).Snapshots?.length,
    3,
  )
})

test('who may not use a key encrypts nothing with it', async (context) => {
  const { client, key, ebsKey, create } = await start(context)
  const own = await key()
  const ec2Only = await client(accountId, [{ ...allowAll, actions: ['ec2:*'] }])
  await assert.rejects(create({ Encrypted: true, KmsKeyId: own }, ec2Only), {
    name: 'InvalidParameterValue',
    message: /cannot be used by this user/,
  })
  // The key of AWS is for everybody who may make disks.
  assert.equal((await create({ Encrypted: true }, ec2Only)).KmsKeyId, await ebsKey())
})

test('a snapshot changes its tier only for those who may use its key', async (context) => {
  const { ec2, client, kms, key, put } = await start(context)
  const own = await key()
  const SnapshotId = await put(own)
  const ec2Only = await client(accountId, [{ ...allowAll, actions: ['ec2:*'] }])
  const archive = (by: EC2Client) =>
    by.send(new ModifySnapshotTierCommand({ SnapshotId, StorageTier: 'archive' }))
  const restore = (by: EC2Client) =>
    by.send(new RestoreSnapshotTierCommand({ SnapshotId, PermanentRestore: true }))
  for (const move of [archive, restore]) {
    await assert.rejects(move(ec2Only), {
      name: 'InvalidParameterValue',
      message: /cannot be used by this user/,
    })
    await kms('DisableKey', { KeyId: own })
    await assert.rejects(move(ec2), { name: 'InvalidParameterValue', message: /is disabled/ })
    await kms('EnableKey', { KeyId: own })
  }
  assert.equal((await archive(ec2)).SnapshotId, SnapshotId)
})

test('snapshots and copies of a volume have its key', async (context) => {
  const system = await startSystem(context)
  const kms = callerOf(context, system.settingsWith())
  const { ec2 } = system
  const own = (await kms('CreateKey')).KeyMetadata?.Arn ?? ''
  const second = (await kms('CreateKey')).KeyMetadata?.Arn ?? ''
  const { VolumeId = '' } = await ec2.send(
    new CreateVolumeCommand({
      AvailabilityZone: `${region}a`,
      Size: 1,
      Encrypted: true,
      KmsKeyId: own,
    }),
  )
  const volume = async (id: string) =>
    (await ec2.send(new DescribeVolumesCommand({ VolumeIds: [id] }))).Volumes?.[0]
  const available = (id: string) =>
    system.until('the volume', async () => (await volume(id))?.State === 'available')
  await available(VolumeId)
  const taken = await ec2.send(new CreateSnapshotCommand({ VolumeId }))
  assert.deepEqual([taken.Encrypted, taken.KmsKeyId], [true, own])
  const { Volumes: [same] = [] } = await ec2.send(
    new CopyVolumesCommand({ SourceVolumeId: VolumeId }),
  )
  assert.deepEqual([same?.Encrypted, same?.KmsKeyId], [true, own])
  const change = { SourceVolumeId: VolumeId, Encrypted: true, KmsKeyId: second }
  const { Volumes: [changed] = [] } = await ec2.send(new CopyVolumesCommand(change))
  assert.equal(changed?.KmsKeyId, second)
  await assert.rejects(
    ec2.send(new CopyVolumesCommand({ SourceVolumeId: VolumeId, Encrypted: false })),
    { name: 'InvalidRequest' },
  )
  for (const one of [same, changed]) await available(one?.VolumeId ?? '')
  const snapshot = await system.until('the snapshot', async () => {
    const command = new DescribeSnapshotsCommand({ SnapshotIds: [taken.SnapshotId ?? ''] })
    const { Snapshots: [found] = [] } = await ec2.send(command)
    assert.notEqual(found?.State, 'error')
    return found?.State === 'completed' && found
  })
  assert.equal(snapshot.KmsKeyId, own)
})

test('an image is as encrypted as its snapshots, and is shared as they are', async (context) => {
  const { ec2, key, ebsKey, put, create } = await start(context)
  const own = await key()
  await create({ Encrypted: true, KmsKeyId: own })
  const [snapshot, managed] = [await put(own), await put(await ebsKey())]
  const register = async (
    Name: string,
    SnapshotId: string,
    more: object[] = [],
    ebs: object = {},
  ) =>
    (
      await ec2.send(
        new RegisterImageCommand({
          Name,
          Architecture: 'x86_64',
          VirtualizationType: 'hvm',
          EnaSupport: true,
          RootDeviceName: '/dev/xvda',
          BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId, ...ebs } }, ...more],
        }),
      )
    ).ImageId ?? ''
  const blank = { DeviceName: '/dev/sdf', Ebs: { VolumeSize: 1, Encrypted: true } }
  const plain = { DeviceName: '/dev/sdg', Ebs: { VolumeSize: 1 } }
  const ImageId = await register('encrypted', snapshot, [blank, plain])
  const devices = async (id: string) => {
    const { Images: [image] = [] } = await ec2.send(new DescribeImagesCommand({ ImageIds: [id] }))
    return image?.BlockDeviceMappings?.map(({ Ebs }) => Ebs?.Encrypted)
  }
  assert.deepEqual(await devices(ImageId), [true, true, false])
  const Filters = [{ Name: 'block-device-mapping.encrypted', Values: ['true'] }]
  assert.equal((await ec2.send(new DescribeImagesCommand({ Filters }))).Images?.length, 1)
  for (const ebs of [{ Encrypted: true }, { Encrypted: false }, { KmsKeyId: own }]) {
    await assert.rejects(register('refused', snapshot, [], ebs), {
      name: 'InvalidBlockDeviceMapping',
    })
  }

  const share = (id: string, who: object) =>
    ec2.send(new ModifyImageAttributeCommand({ ImageId: id, LaunchPermission: { Add: [who] } }))
  await assert.rejects(share(ImageId, { Group: 'all' }), { name: 'OperationNotPermitted' })
  await share(ImageId, { UserId: other })
  const underManaged = await register('managed', managed)
  await assert.rejects(share(underManaged, { UserId: other }), {
    name: 'OperationNotPermitted',
    message: 'Encrypted snapshots with EBS default key cannot be shared',
  })

  const copy = async (input: object) => {
    const usual = {
      Name: JSON.stringify(input).replaceAll(/[^a-z]/gi, ''),
      SourceRegion: region,
      SourceImageId: ImageId,
    }
    return (await ec2.send(new CopyImageCommand({ ...usual, ...input }))).ImageId ?? ''
  }
  const second = await key()
  const copied = await copy({ Encrypted: true, KmsKeyId: second })
  assert.deepEqual(await devices(copied), [true, true, false])
  await assert.rejects(copy({ Encrypted: false }), { name: 'InvalidRequest' })
  const plainImage = await register('plain', await put())
  assert.deepEqual(await devices(await copy({ SourceImageId: plainImage, Encrypted: true })), [
    true,
  ])
  // A key that is not there fails the image later, as the documentation says.
  assert(await copy({ SourceImageId: plainImage, Encrypted: true, KmsKeyId: missingKey }))
})

test('an instance has the keys that the call says, or those of its image', async (context) => {
  const { ec2, key, ebsKey, put, create } = await start(context)
  const [own, second] = [await key(), await key()]
  await create({ Encrypted: true, KmsKeyId: own })
  const images = new Map<string, string>()
  for (const [Name, SnapshotId] of [
    ['encrypted', await put(own)],
    ['plain', await put()],
  ] as const) {
    const { ImageId = '' } = await ec2.send(
      new RegisterImageCommand({
        Name,
        Architecture: 'x86_64',
        VirtualizationType: 'hvm',
        EnaSupport: true,
        RootDeviceName: '/dev/xvda',
        BlockDeviceMappings: [
          { DeviceName: '/dev/xvda', Ebs: { SnapshotId } },
          { DeviceName: '/dev/sdf', Ebs: { VolumeSize: 1, Encrypted: true } },
        ],
      }),
    )
    images.set(Name, ImageId)
  }
  const run = async (
    image: string,
    BlockDeviceMappings: RunInstancesCommandInput['BlockDeviceMappings'] = [],
  ) => {
    const { Instances: [made] = [] } = await ec2.send(
      new RunInstancesCommand({
        ImageId: images.get(image),
        MinCount: 1,
        MaxCount: 1,
        InstanceType: 't3.nano',
        BlockDeviceMappings,
      }),
    )
    const Filters = [{ Name: 'attachment.instance-id', Values: [made?.InstanceId ?? ''] }]
    const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({ Filters }))
    const keys = Volumes.map(
      ({ Attachments, KmsKeyId }) => [Attachments?.[0]?.Device, KmsKeyId] as const,
    )
    return Object.fromEntries(keys)
  }
  const root = (Ebs: object) => [{ DeviceName: '/dev/xvda', Ebs }]
  const data = await ebsKey()
  assert.deepEqual(await run('encrypted'), { '/dev/xvda': own, '/dev/sdf': data })
  assert.deepEqual(await run('encrypted', root({ Encrypted: true, KmsKeyId: second })), {
    '/dev/xvda': second,
    '/dev/sdf': data,
  })
  assert.deepEqual(await run('plain'), { '/dev/xvda': undefined, '/dev/sdf': data })
  assert.deepEqual(await run('plain', root({ Encrypted: true })), {
    '/dev/xvda': data,
    '/dev/sdf': data,
  })
  assert.deepEqual(
    await run('plain', [
      { DeviceName: '/dev/sdf', NoDevice: '' },
      ...root({ Encrypted: true, KmsKeyId: own }),
    ]),
    { '/dev/xvda': own },
  )
  await assert.rejects(run('plain', root({ KmsKeyId: own })), {
    name: 'InvalidParameterDependency',
  })
  await assert.rejects(run('encrypted', root({ KmsKeyId: own })), {
    name: 'InvalidParameterDependency',
  })
  await assert.rejects(run('encrypted', root({ Encrypted: false })), { name: 'InvalidRequest' })
  await ec2.send(new EnableEbsEncryptionByDefaultCommand({}))
  assert.deepEqual(await run('plain'), { '/dev/xvda': data, '/dev/sdf': data })
})

test('an instance whose key cannot be used ends, and says so', async (context) => {
  const system = await startSystem(context)
  const { ec2, db } = system
  const kms = callerOf(context, system.settingsWith())
  const own = (await kms('CreateKey')).KeyMetadata?.Arn ?? ''
  await ec2.send(
    new CreateVolumeCommand({
      AvailabilityZone: `${region}a`,
      Size: 1,
      Encrypted: true,
      KmsKeyId: own,
    }),
  )
  const row = snapshotRow(
    { accountId, region },
    { manifest: digestOf(Buffer.from('x')), kmsKeyArn: own },
  )
  await transaction(db.writes, (tx) => insertSnapshot(tx, row))
  const { ImageId } = await ec2.send(
    new RegisterImageCommand({
      Name: 'encrypted',
      Architecture: 'x86_64',
      VirtualizationType: 'hvm',
      EnaSupport: true,
      RootDeviceName: '/dev/xvda',
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: row.id } }],
    }),
  )
  await kms('DisableKey', { KeyId: own })
  const { Instances: [made] = [] } = await ec2.send(
    new RunInstancesCommand({ ImageId, MinCount: 1, MaxCount: 1, InstanceType: 't3.nano' }),
  )
  assert.equal(made?.State?.Name, 'pending')
  const ended = await system.until('the end of the instance', async () => {
    const command = new DescribeInstancesCommand({ InstanceIds: [made?.InstanceId ?? ''] })
    const { Reservations: [found] = [] } = await ec2.send(command)
    const [instance] = found?.Instances ?? []
    return instance?.State?.Name === 'terminated' && instance
  })
  assert.equal(ended.StateReason?.Code, 'Client.InvalidKMSKey.InvalidState')
  assert.match(
    ended.StateReason?.Message ?? '',
    /^Client\.InvalidKMSKey\.InvalidState: The KMS key provided is in an incorrect state: .* is disabled\.$/,
  )
})

test('a machine that has run does not start again without its key', async (context) => {
  const system = await startSystem(context)
  const { ec2 } = system
  const kms = callerOf(context, system.settingsWith())
  const own = (await kms('CreateKey')).KeyMetadata?.Arn ?? ''
  const ImageId = await registerBlank(system, await blankSnapshot(system), { Name: 'blank' })
  const Ebs = { Encrypted: true, KmsKeyId: own }
  const { Instances: [made] = [] } = await ec2.send(
    new RunInstancesCommand({
      ImageId,
      MinCount: 1,
      MaxCount: 1,
      InstanceType: 't3.nano',
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs }],
    }),
  )
  const InstanceIds = [made?.InstanceId ?? '']
  const reached = (...states: string[]) =>
    system.until(`the instance ${states.join(', ')}`, async () => {
      const { Reservations: [found] = [] } = await ec2.send(
        new DescribeInstancesCommand({ InstanceIds }),
      )
      const [instance] = found?.Instances ?? []
      return states.includes(instance?.State?.Name ?? '') && instance
    })
  await reached('running')
  await ec2.send(new StopInstancesCommand({ InstanceIds, Force: true }))
  await reached('stopped')
  await kms('DisableKey', { KeyId: own })
  await ec2.send(new StartInstancesCommand({ InstanceIds }))
  const stopped = await reached('stopped', 'running')
  assert.equal(stopped.State?.Name, 'stopped')
  assert.equal(stopped.StateReason?.Code, 'Client.InvalidKMSKey.InvalidState')
  await kms('EnableKey', { KeyId: own })
  await ec2.send(new StartInstancesCommand({ InstanceIds }))
  await reached('running')
  await ec2.send(new TerminateInstancesCommand({ InstanceIds }))
  await reached('terminated')
})
