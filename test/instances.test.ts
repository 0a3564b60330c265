import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import {
  CreateKeyPairCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  DescribeInstanceStatusCommand,
  DescribeInstanceTypeOfferingsCommand,
  DescribeInstanceTypesCommand,
  DescribeVolumesCommand,
  EC2Client,
  GetConsoleOutputCommand,
  GetConsoleScreenshotCommand,
  type Instance,
  ModifyInstanceAttributeCommand,
  ModifyInstanceMetadataOptionsCommand,
  RebootInstancesCommand,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import { readConfig } from '../src/config.ts'
import { type Connections, transaction } from '../src/db/database.ts'
import type { NewImage } from '../src/images/image.ts'
import { insertImage } from '../src/images/store.ts'
import { anImage } from '../src/images/testing.ts'
import { noCause } from '../src/instances/cause.ts'
import type { InstanceState } from '../src/instances/instance.ts'
import { changeInstanceState } from '../src/instances/store.ts'
import type { Id } from '../src/lib/ids.ts'
import { openImago } from '../src/main.ts'
import { releasePublicIps } from '../src/network/public-address.ts'
import { insertSnapshot } from '../src/snapshots/store.ts'
import { aSnapshot } from '../src/snapshots/testing.ts'

const accountId = '123456789012'
const region = 'us-east-1'
const imageId = 'ami-00000000000000001'
const snapshotId = 'snap-00000000000000001'
const missing = 'i-0123456789abcdef0'
const at = new Date('2026-11-23T10:00:00Z')

/** A system without reconcilers, and one image to launch from. */
async function start(context: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'imago-instances-'))
  const config = readConfig({
    IMAGO_DATA: folder,
    IMAGO_LISTEN: '127.0.0.1:0',
    IMAGO_ACCEL: 'tcg',
    IMAGO_REGIONS: region,
    IMAGO_ACCOUNT_ID: accountId,
  })
  const silent = () => {}
  const log = { info: silent, warn: silent, error: silent }
  const imago = await openImago({ config, log, isIdle: true, hasNoStarter: true })
  const { db, endpoint, rootKey } = imago
  const credentials = { accessKeyId: rootKey.id, secretAccessKey: rootKey.secret.reveal() }
  const ec2 = new EC2Client({ endpoint, region, credentials, maxAttempts: 1 })
  context.after(async () => {
    ec2.destroy()
    await imago.close()
    await rm(folder, { recursive: true })
  })
  await transaction(db.writes, async (tx) => {
    await insertSnapshot(tx, aSnapshot(1, { accountId, volumeSizeGiB: 8 }))
    await insertImage(tx, imageOf())
  })
  const run = async (input: Partial<RunInstancesCommandInput> = {}): Promise<Instance> => {
    const command = { ImageId: imageId, MinCount: 1, MaxCount: 1, InstanceType: 't3.nano' as const }
    const { Instances = [] } = await ec2.send(new RunInstancesCommand({ ...command, ...input }))
    assert(Instances[0])
    return Instances[0]
  }
  return { ec2, db, run }
}

const imageOf = (changes: Partial<NewImage> = {}): NewImage =>
  anImage(1, {
    accountId,
    name: 'tiny',
    createdAt: at,
    blockDevices: [
      {
        deviceName: '/dev/xvda',
        ebs: { snapshotId, sizeGiB: 8, type: 'gp3', deleteOnTermination: true },
      },
    ],
    ...changes,
  })

/** What the reconciler does when a machine is where it should be. */
async function settle(
  db: Connections,
  { InstanceId }: Instance,
  from: InstanceState,
  to: InstanceState,
): Promise<void> {
  const id = InstanceId as Id<'instance'>
  const cause = to === 'running' ? { cause: noCause } : {}
  assert(
    await transaction(db.writes, (tx) => changeInstanceState(tx, { id, from, to, at, ...cause })),
  )
}

async function find(ec2: EC2Client, { InstanceId = '' }: Instance): Promise<Instance> {
  const { Reservations } = await ec2.send(
    new DescribeInstancesCommand({ InstanceIds: [InstanceId] }),
  )
  const found = Reservations?.[0]?.Instances?.[0]
  assert(found)
  return found
}

const refusedWith = (name: string, message?: string | RegExp) => ({
  name,
  ...(message !== undefined && { message }),
})

test('a launched instance is pending, and whole from the first answer on', async (context) => {
  const { ec2, run } = await start(context)
  const { KeyMaterial } = await ec2.send(new CreateKeyPairCommand({ KeyName: 'mine' }))
  assert(KeyMaterial)
  const { Instances, ReservationId, OwnerId } = await ec2.send(
    new RunInstancesCommand({
      ImageId: imageId,
      MinCount: 1,
      MaxCount: 2,
      InstanceType: 't3.micro',
      KeyName: 'mine',
      UserData: Buffer.from('#!/bin/sh\n').toString('base64'),
      TagSpecifications: [
        { ResourceType: 'instance', Tags: [{ Key: 'Name', Value: 'web' }] },
        { ResourceType: 'volume', Tags: [{ Key: 'kind', Value: 'disk' }] },
      ],
    }),
  )
  assert.match(ReservationId ?? '', /^r-[0-9a-f]{17}$/)
  assert.equal(OwnerId, accountId)
  assert.deepEqual(
    Instances?.map((instance) => instance.AmiLaunchIndex),
    [0, 1],
  )
  const [first] = Instances
  assert(first)
  assert.deepEqual(first.State, { Code: 0, Name: 'pending' })
  assert.deepEqual(first.StateReason, { Code: 'pending', Message: 'pending' })
  assert.equal(first.StateTransitionReason, '')
  assert.deepEqual(first.Tags, [{ Key: 'Name', Value: 'web' }])
  assert.equal(first.KeyName, 'mine')
  assert.equal(first.BootMode, 'uefi-preferred')
  assert.equal(first.CurrentInstanceBootMode, 'uefi')
  assert.deepEqual(first.CpuOptions, { CoreCount: 1, ThreadsPerCore: 2 })
  assert.deepEqual(first.Monitoring, { State: 'disabled' })
  assert.equal(first.Placement?.AvailabilityZone, 'us-east-1a')
  assert.equal(first.SecurityGroups?.[0]?.GroupName, 'default')
  assert.match(first.PrivateIpAddress ?? '', /^172\.31\./)
  assert.match(first.PublicIpAddress ?? '', /^127\./)
  assert.match(first.PrivateDnsName ?? '', /^ip-172-31-\d+-\d+\.ec2\.internal$/)
  assert.equal(first.NetworkInterfaces?.[0]?.PrivateIpAddress, first.PrivateIpAddress)
  assert.deepEqual(first.MetadataOptions, {
    State: 'applied',
    HttpTokens: 'optional',
    HttpPutResponseHopLimit: 1,
    HttpEndpoint: 'enabled',
    HttpProtocolIpv6: 'disabled',
    InstanceMetadataTags: 'disabled',
  })
  const [disk] = first.BlockDeviceMappings ?? []
  assert.equal(disk?.DeviceName, '/dev/xvda')
  assert.equal(disk?.Ebs?.Status, 'attaching')
  assert.equal(disk?.Ebs?.DeleteOnTermination, true)
  const { Volumes } = await ec2.send(
    new DescribeVolumesCommand({ VolumeIds: [disk.Ebs?.VolumeId ?? ''] }),
  )
  assert.equal(Volumes?.[0]?.Size, 8)
  assert.equal(Volumes?.[0]?.SnapshotId, snapshotId)
  assert.deepEqual(Volumes?.[0]?.Tags, [{ Key: 'kind', Value: 'disk' }])
  // What was answered is what is there.
  assert.deepEqual(await find(ec2, first), first)
  assert.notEqual((await run()).InstanceId, first.InstanceId)
})

test('a launch that repeats its client token answers the same instance', async (context) => {
  const { run } = await start(context)
  const first = await run({ ClientToken: 'once' })
  const second = await run({ ClientToken: 'once' })
  assert.equal(second.InstanceId, first.InstanceId)
  assert.equal(second.ClientToken, 'once')
  await assert.rejects(
    run({ ClientToken: 'once', MaxCount: 2 }),
    refusedWith('IdempotentParameterMismatch'),
  )
})

test('disks can be bigger, left out or added', async (context) => {
  const { ec2, run } = await start(context)
  const instance = await run({
    BlockDeviceMappings: [
      { DeviceName: '/dev/xvda', Ebs: { VolumeSize: 20, DeleteOnTermination: false } },
      { DeviceName: '/dev/sdf', Ebs: { VolumeSize: 5, VolumeType: 'gp3' } },
      { DeviceName: '/dev/sdg', Ebs: { SnapshotId: snapshotId } },
      { DeviceName: '/dev/sdh', VirtualName: 'ephemeral0' },
      { DeviceName: '/dev/sdi', NoDevice: '' },
    ],
  })
  const ids = instance.BlockDeviceMappings?.map((disk) => disk.Ebs?.VolumeId ?? '')
  const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: ids }))
  const described = Volumes.map((volume) => {
    const [attachment] = volume.Attachments ?? []
    const kept = attachment?.DeleteOnTermination ? 'goes' : 'stays'
    return `${attachment?.Device} ${volume.Size} ${volume.VolumeType} ${kept}`
  })
  assert.deepEqual(
    new Set(described),
    new Set(['/dev/sdf 5 gp3 stays', '/dev/sdg 8 gp2 stays', '/dev/xvda 20 gp3 stays']),
  )
})

test('a launch that cannot be is refused in the words of EC2', async (context) => {
  const { ec2, run, db } = await start(context)
  const images = {
    pending: imageOf({
      id: 'ami-00000000000000002',
      name: 'pending',
      state: 'pending',
      blockDevices: [],
    }),
    gone: imageOf({
      id: 'ami-00000000000000003',
      name: 'gone',
      state: 'deregistered',
    }),
    arm: imageOf({
      id: 'ami-00000000000000004',
      name: 'arm',
      architecture: 'arm64',
    }),
    foreign: imageOf({ accountId: '999999999999', id: 'ami-00000000000000005', name: 'foreign' }),
    paravirtual: imageOf({
      id: 'ami-00000000000000006',
      name: 'old',
      virtualizationType: 'paravirtual',
    }),
  }
  await transaction(db.writes, async (tx) => {
    for (const image of Object.values(images)) await insertImage(tx, image)
  })
  const cases: readonly [Partial<RunInstancesCommandInput>, string, (string | RegExp)?][] = [
    [{ ImageId: 'nonsense' }, 'InvalidAMIID.Malformed'],
    [
      { ImageId: 'ami-0123456789abcdef0' },
      'InvalidAMIID.NotFound',
      "The image id '[ami-0123456789abcdef0]' does not exist",
    ],
    [{ ImageId: images.pending.id }, 'InvalidAMIID.Unavailable'],
    [
      { ImageId: images.gone.id },
      'InvalidAMIID.Unavailable',
      `The image id '[${images.gone.id}]' is no longer available`,
    ],
    [
      { ImageId: images.foreign.id },
      'AuthFailure',
      `Not authorized for images: [${images.foreign.id}]`,
    ],
    [{ ImageId: images.arm.id }, 'InvalidParameterValue', /^The architecture 'x86_64' of the/],
    [
      { ImageId: images.paravirtual.id },
      'InvalidParameterCombination',
      /^Virtualization type 'hvm' is required for instances of type '[a-z0-9.]+'\. Ensure that/,
    ],
    [{ InstanceType: 'x9.huge' as 't3.nano' }, 'InvalidParameterValue'],
    [{ MinCount: 0 }, 'InvalidParameterValue'],
    [{ MinCount: 3, MaxCount: 2 }, 'InvalidParameterValue'],
    [{ KeyName: 'none' }, 'InvalidKeyPair.NotFound', "The key pair 'none' does not exist"],
    [{ SecurityGroupIds: ['sg-0123456789abcdef0'] }, 'InvalidGroup.NotFound'],
    [{ SecurityGroups: ['none'] }, 'InvalidGroup.NotFound'],
    [{ SubnetId: 'subnet-0123456789abcdef0' }, 'InvalidSubnetID.NotFound'],
    [{ Placement: { AvailabilityZone: 'us-east-1z' } }, 'InvalidParameterValue'],
    [
      { Placement: { AvailabilityZone: 'us-east-1a', AvailabilityZoneId: 'use1-az2' } },
      'InvalidParameterCombination',
    ],
    [{ UserData: 'not base64!' }, 'InvalidUserData.Malformed'],
    [{ UserData: Buffer.alloc(16_385).toString('base64') }, 'InvalidParameterValue'],
    [{ MetadataOptions: { HttpPutResponseHopLimit: 65 } }, 'InvalidParameterValue'],
    [{ MetadataOptions: { HttpTokens: 'maybe' as 'optional' } }, 'InvalidParameterValue'],
    [{ IamInstanceProfile: { Name: 'role' } }, 'InvalidParameterValue'],
    [{ LaunchTemplate: { LaunchTemplateName: 'mine' } }, 'UnsupportedOperation'],
    [{ HibernationOptions: { Configured: true } }, 'UnsupportedOperation'],
    [{ InstanceMarketOptions: { MarketType: 'spot' } }, 'UnsupportedOperation'],
    [{ CpuOptions: { CoreCount: 7 } }, 'UnsupportedOperation'],
    [
      { TagSpecifications: [{ ResourceType: 'image', Tags: [{ Key: 'a', Value: '' }] }] },
      'InvalidParameterValue',
      "'image' is not a valid taggable resource type for this operation.",
    ],
    [
      { BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 4 } }] },
      'InvalidBlockDeviceMapping',
      `Volume of size 4GB is smaller than snapshot '${snapshotId}', expect size >= 8GB`,
    ],
    [
      { BlockDeviceMappings: [{ DeviceName: '/dev/xvda', NoDevice: '' }] },
      'InvalidBlockDeviceMapping',
    ],
    [{ BlockDeviceMappings: [{ DeviceName: '/dev/sdf', Ebs: {} }] }, 'MissingParameter'],
    [
      {
        BlockDeviceMappings: [{ DeviceName: '/dev/sdf', Ebs: { VolumeSize: 1, KmsKeyId: 'a' } }],
      },
      'InvalidParameterDependency',
    ],
    [
      { SubnetId: 'subnet-0123456789abcdef0', NetworkInterfaces: [{ DeviceIndex: 0 }] },
      'InvalidParameterCombination',
      'Network interfaces and an instance-level subnet ID may not be specified on the same request',
    ],
    [
      { SecurityGroups: ['default'], NetworkInterfaces: [{ DeviceIndex: 0 }] },
      'InvalidParameterCombination',
    ],
    [{ NetworkInterfaces: [{ DeviceIndex: 0 }, { DeviceIndex: 1 }] }, 'AttachmentLimitExceeded'],
    [
      { InstanceType: 'r6i.4xlarge', MinCount: 10_000, MaxCount: 10_000 },
      'InsufficientInstanceCapacity',
      /^We currently do not have sufficient r6i\.4xlarge capacity in the Availability Zone/,
    ],
  ]
  for (const [input, code, message] of cases) {
    await assert.rejects(run(input), refusedWith(code, message), JSON.stringify(input).slice(0, 99))
  }
  // Not one of them has left anything behind.
  const { Reservations } = await ec2.send(new DescribeInstancesCommand({}))
  assert.deepEqual(Reservations, [])
  assert.deepEqual((await ec2.send(new DescribeVolumesCommand({}))).Volumes, [])
})

test('a launch gets as many instances as fit, and not fewer than it needs', async (context) => {
  const { ec2 } = await start(context)
  const many = { ImageId: imageId, InstanceType: 't3.small', MaxCount: 10_000 } as const
  const launch = (MinCount: number) => ec2.send(new RunInstancesCommand({ ...many, MinCount }))
  await assert.rejects(launch(10_000), refusedWith('InsufficientInstanceCapacity'))
  const { Instances } = await launch(1)
  assert(Instances && Instances.length >= 1 && Instances.length < 10_000)
  await assert.rejects(launch(1), refusedWith('InsufficientInstanceCapacity'))
})

test('metadata options come from the call, then from the image', async (context) => {
  const { ec2, run, db } = await start(context)
  const strict = imageOf({
    id: 'ami-00000000000000007',
    name: 'strict',
    imdsSupport: 'v2.0',
  })
  await transaction(db.writes, (tx) => insertImage(tx, strict))
  const byImage = await run({ ImageId: strict.id })
  assert.equal(byImage.MetadataOptions?.HttpTokens, 'required')
  assert.equal(byImage.MetadataOptions.HttpPutResponseHopLimit, 2)
  const byCall = await run({ ImageId: strict.id, MetadataOptions: { HttpTokens: 'optional' } })
  assert.equal(byCall.MetadataOptions?.HttpTokens, 'optional')
  const { InstanceMetadataOptions } = await ec2.send(
    new ModifyInstanceMetadataOptionsCommand({
      InstanceId: byCall.InstanceId,
      InstanceMetadataTags: 'enabled',
      HttpPutResponseHopLimit: 5,
    }),
  )
  assert.equal(InstanceMetadataOptions?.HttpTokens, 'optional')
  const changed = await find(ec2, byCall)
  assert.equal(changed.MetadataOptions?.InstanceMetadataTags, 'enabled')
  assert.equal(changed.MetadataOptions.HttpPutResponseHopLimit, 5)
})

test('an instance stops, starts and ends, and says why', async (context) => {
  const { ec2, run, db } = await start(context)
  const instance = await run()
  const InstanceIds = [instance.InstanceId ?? '']
  await assert.rejects(
    ec2.send(new StopInstancesCommand({ InstanceIds })),
    refusedWith(
      'IncorrectInstanceState',
      `Instance '${InstanceIds[0]}' cannot be stopped as it has never reached the 'running' state.`,
    ),
  )
  await settle(db, instance, 'pending', 'running')
  assert.equal((await find(ec2, instance)).StateReason, undefined)
  await ec2.send(new RebootInstancesCommand({ InstanceIds }))

  const { StoppingInstances } = await ec2.send(new StopInstancesCommand({ InstanceIds }))
  assert.deepEqual(StoppingInstances, [
    {
      InstanceId: InstanceIds[0],
      PreviousState: { Code: 16, Name: 'running' },
      CurrentState: { Code: 64, Name: 'stopping' },
    },
  ])
  await assert.rejects(
    ec2.send(new StartInstancesCommand({ InstanceIds })),
    refusedWith(
      'IncorrectInstanceState',
      `The instance '${InstanceIds[0]}' is not in a state from which it can be started.`,
    ),
  )
  await ec2.send(new StopInstancesCommand({ InstanceIds, Force: true }))
  await settle(db, instance, 'stopping', 'stopped')
  const stopped = await find(ec2, instance)
  assert.equal(stopped.StateReason?.Code, 'Client.UserInitiatedShutdown')
  assert.match(stopped.StateTransitionReason ?? '', /^User initiated \(\d{4}-.* GMT\)$/)

  const { StartingInstances } = await ec2.send(new StartInstancesCommand({ InstanceIds }))
  assert.equal(StartingInstances?.[0]?.CurrentState?.Name, 'pending')
  const { TerminatingInstances } = await ec2.send(new TerminateInstancesCommand({ InstanceIds }))
  assert.equal(TerminatingInstances?.[0]?.PreviousState?.Name, 'pending')
  await settle(db, instance, 'shutting-down', 'terminated')
  assert.equal((await find(ec2, instance)).State?.Name, 'terminated')
  const again = await ec2.send(new TerminateInstancesCommand({ InstanceIds }))
  assert.equal(again.TerminatingInstances?.[0]?.CurrentState?.Name, 'terminated')
  for (const command of [
    new StartInstancesCommand({ InstanceIds }),
    new StopInstancesCommand({ InstanceIds }),
    new RebootInstancesCommand({ InstanceIds }),
  ] as StartInstancesCommand[]) {
    await assert.rejects(ec2.send(command), refusedWith('IncorrectInstanceState'))
  }
})

test('a public address belongs to an instance until it is stopped', async (context) => {
  const { ec2, run, db } = await start(context)
  const nic = { DeviceIndex: 0, AssociatePublicIpAddress: false }
  const both = [await run(), await run({ NetworkInterfaces: [nic] })]
  for (const instance of both) {
    await settle(db, instance, 'pending', 'stopped')
    const id = instance.InstanceId as Id<'instance'>
    await transaction(db.writes, (tx) => releasePublicIps(tx, id))
    const { PublicIpAddress, NetworkInterfaces } = await find(ec2, instance)
    assert.equal(PublicIpAddress, undefined)
    assert.equal(NetworkInterfaces?.[0]?.Association, undefined)
  }
  const InstanceIds = both.map(({ InstanceId = '' }) => InstanceId)
  await ec2.send(new StartInstancesCommand({ InstanceIds }))
  const [lent, none] = await Promise.all(both.map((instance) => find(ec2, instance)))
  assert.match(lent?.PublicIpAddress ?? '', /^127\./)
  assert.equal(lent?.NetworkInterfaces?.[0]?.Association?.PublicIp, lent?.PublicIpAddress)
  assert.equal(lent?.PrivateIpAddress, both[0]?.PrivateIpAddress)
  // What the launch said of public addresses holds for every start.
  assert.equal(none?.PublicIpAddress, undefined)
})

test('instances named in one call change together or not at all', async (context) => {
  const { ec2, run, db } = await start(context)
  const running = await run()
  await settle(db, running, 'pending', 'running')
  const ids = [running.InstanceId ?? '', missing]
  await assert.rejects(
    ec2.send(new TerminateInstancesCommand({ InstanceIds: ids })),
    refusedWith('InvalidInstanceID.NotFound', `The instance ID '${missing}' does not exist`),
  )
  const other = 'i-0123456789abcdef1'
  await assert.rejects(
    ec2.send(new TerminateInstancesCommand({ InstanceIds: [missing, other] })),
    refusedWith(
      'InvalidInstanceID.NotFound',
      `The instance IDs '${missing}, ${other}' do not exist`,
    ),
  )
  await assert.rejects(
    ec2.send(new StopInstancesCommand({ InstanceIds: ['nonsense'] })),
    refusedWith('InvalidInstanceID.Malformed'),
  )
  const pending = await run()
  await assert.rejects(
    ec2.send(new StopInstancesCommand({ InstanceIds: [ids[0] ?? '', pending.InstanceId ?? ''] })),
    refusedWith('IncorrectInstanceState'),
  )
  assert.equal((await find(ec2, running)).State?.Name, 'running')
})

test('a protected instance is neither terminated nor stopped', async (context) => {
  const { ec2, run, db } = await start(context)
  const instance = await run({ DisableApiTermination: true })
  const InstanceId = instance.InstanceId ?? ''
  const terminate = () => ec2.send(new TerminateInstancesCommand({ InstanceIds: [InstanceId] }))
  const why = (done: string, attribute: string) =>
    `The instance '${InstanceId}' may not be ${done}. Modify its '${attribute}' instance attribute and try again.`
  await assert.rejects(
    terminate(),
    refusedWith('OperationNotPermitted', why('terminated', 'disableApiTermination')),
  )
  const modify = (input: object) =>
    ec2.send(new ModifyInstanceAttributeCommand({ InstanceId, ...input }))
  await modify({ DisableApiTermination: { Value: false } })
  await modify({ Attribute: 'disableApiStop', Value: 'true' })
  await settle(db, instance, 'pending', 'running')
  await assert.rejects(
    ec2.send(new StopInstancesCommand({ InstanceIds: [InstanceId] })),
    refusedWith('OperationNotPermitted', why('stopped', 'disableApiStop')),
  )
  await assert.rejects(
    terminate(),
    refusedWith('OperationNotPermitted', why('terminated', 'disableApiStop')),
  )
  await modify({ DisableApiStop: { Value: false } })
  await terminate()
})

test('an attribute is described, and modified one at a time', async (context) => {
  const { ec2, run, db } = await start(context)
  const instance = await run({ UserData: Buffer.from('first').toString('base64') })
  const { InstanceId } = instance
  const modify = (input: object) =>
    ec2.send(new ModifyInstanceAttributeCommand({ InstanceId, ...input }))
  const describe = (Attribute: string) =>
    ec2.send(
      new DescribeInstanceAttributeCommand({ InstanceId, Attribute: Attribute as 'instanceType' }),
    )
  const encoded = (text: string) => ({ Value: Buffer.from(text) })
  await assert.rejects(
    modify({ InstanceType: { Value: 't3.micro' } }),
    refusedWith('IncorrectInstanceState'),
  )
  await assert.rejects(
    modify({ UserData: encoded('second') }),
    refusedWith('IncorrectInstanceState'),
  )
  await settle(db, instance, 'pending', 'stopped')
  await modify({ InstanceType: { Value: 't3.micro' } })
  await modify({ UserData: encoded('second') })
  await modify({ InstanceInitiatedShutdownBehavior: { Value: 'terminate' } })
  await modify({ SourceDestCheck: { Value: false } })
  await modify({
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { DeleteOnTermination: false } }],
  })
  assert.equal((await describe('instanceType')).InstanceType?.Value, 't3.micro')
  const userData = (await describe('userData')).UserData?.Value ?? ''
  assert.equal(Buffer.from(userData, 'base64').toString(), 'second')
  const behavior = (await describe('instanceInitiatedShutdownBehavior'))
    .InstanceInitiatedShutdownBehavior
  assert.equal(behavior?.Value, 'terminate')
  assert.equal((await describe('sourceDestCheck')).SourceDestCheck?.Value, false)
  const [disk] = (await describe('blockDeviceMapping')).BlockDeviceMappings ?? []
  assert.equal(disk?.Ebs?.DeleteOnTermination, false)
  assert.equal((await describe('groupSet')).Groups?.length, 1)
  assert.equal((await describe('rootDeviceName')).RootDeviceName?.Value, '/dev/xvda')
  for (const name of ['kernel', 'ramdisk', 'productCodes', 'sriovNetSupport', 'enaSupport']) {
    assert.equal((await describe(name)).InstanceId, InstanceId)
  }
  const wrong: readonly [object, string][] = [
    [{}, 'InvalidParameterCombination'],
    [
      { DisableApiStop: { Value: true }, DisableApiTermination: { Value: true } },
      'InvalidParameterCombination',
    ],
    [{ InstanceType: { Value: 't4g.nano' } }, 'InvalidParameterValue'],
    [{ InstanceType: { Value: 'x9.huge' } }, 'InvalidParameterValue'],
    [{ Kernel: { Value: 'aki-1' } }, 'UnsupportedOperation'],
    [{ Groups: ['sg-0123456789abcdef0'] }, 'InvalidGroup.NotFound'],
    [
      { BlockDeviceMappings: [{ DeviceName: '/dev/sdz', Ebs: { DeleteOnTermination: true } }] },
      'InvalidInstanceAttributeValue',
    ],
    [{ Attribute: 'rootDeviceName', Value: '/dev/sda' }, 'InvalidParameterValue'],
  ]
  for (const [input, code] of wrong) await assert.rejects(modify(input), refusedWith(code))
  await assert.rejects(describe('colour'), refusedWith('InvalidParameterValue'))
})

test('a type that has no other network card wants a system with its driver', async (context) => {
  const { ec2, run, db } = await start(context)
  const id = 'ami-00000000000000002'
  const plain = imageOf({ id, name: 'plain', enaSupport: false })
  await transaction(db.writes, (tx) => insertImage(tx, plain))
  const wanted = (type: string, whose: string) =>
    refusedWith(
      'InvalidParameterCombination',
      `Enhanced networking with the Elastic Network Adapter (ENA) is required for the '${type}' ` +
        `instance type. Ensure ${whose} is enabled for ENA.`,
    )
  await assert.rejects(
    run({ ImageId: id, InstanceType: 't3.micro' }),
    wanted('t3.micro', 'that you are using an AMI that'),
  )
  const instance = await run({ ImageId: id, InstanceType: 't2.micro' })
  const { InstanceId = '' } = instance
  assert.equal(instance.EnaSupport, false)
  const modify = (input: object) =>
    ec2.send(new ModifyInstanceAttributeCommand({ InstanceId, ...input }))
  const driver = { EnaSupport: { Value: true } }
  await assert.rejects(modify(driver), refusedWith('IncorrectInstanceState'))
  await settle(db, instance, 'pending', 'stopped')
  const change = { InstanceType: { Value: 't3.micro' } }
  await assert.rejects(modify(change), wanted('t3.micro', `that your instance '${InstanceId}'`))
  await modify(driver)
  await modify(change)
  const { EnaSupport, InstanceType } = await find(ec2, instance)
  assert.deepEqual([EnaSupport, InstanceType], [true, 't3.micro'])
})

test('instances are found by filters, and read in pages', async (context) => {
  const { ec2, run, db } = await start(context)
  const tagged = await run({
    TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'Name', Value: 'web-1' }] }],
  })
  await settle(db, tagged, 'pending', 'running')
  for (let count = 0; count < 6; count++) await run()
  const find = async (Name: string, ...Values: string[]) => {
    const command = new DescribeInstancesCommand({ Filters: [{ Name, Values }] })
    const { Reservations = [] } = await ec2.send(command)
    return Reservations.flatMap(({ Instances = [] }) => Instances.map((one) => one.InstanceId))
  }
  const [nic] = tagged.NetworkInterfaces ?? []
  const [disk] = tagged.BlockDeviceMappings ?? []
  const looks: readonly [string, string | undefined][] = [
    ['tag:Name', 'web-*'],
    ['tag-key', 'Name'],
    ['instance-state-name', 'running'],
    ['instance-state-code', '16'],
    ['instance-id', tagged.InstanceId],
    ['private-ip-address', tagged.PrivateIpAddress],
    ['ip-address', tagged.PublicIpAddress],
    ['network-interface.network-interface-id', nic?.NetworkInterfaceId],
    ['network-interface.addresses.private-ip-address', nic?.PrivateIpAddress],
    ['network-interface.attachment.instance-id', tagged.InstanceId],
    ['block-device-mapping.volume-id', disk?.Ebs?.VolumeId],
  ]
  for (const [name, value = ''] of looks) {
    assert.deepEqual(await find(name, value), [tagged.InstanceId], name)
  }
  assert.equal((await find('instance-type', 't3.*')).length, 7)
  assert.deepEqual(await find('spot-instance-request-id', '*'), [])
  await assert.rejects(find('colour', 'red'), refusedWith('InvalidParameterValue'))

  const seen: (string | undefined)[] = []
  let NextToken: string | undefined
  do {
    const answer = await ec2.send(new DescribeInstancesCommand({ MaxResults: 5, NextToken }))
    const ids = (answer.Reservations ?? []).flatMap(({ Instances = [] }) =>
      Instances.map((one) => one.InstanceId),
    )
    assert(ids.length <= 5)
    seen.push(...ids)
    NextToken = answer.NextToken
  } while (NextToken)
  assert.equal(new Set(seen).size, 7)
  assert.equal(seen.length, 7)
  await assert.rejects(
    ec2.send(
      new DescribeInstancesCommand({ MaxResults: 5, InstanceIds: [tagged.InstanceId ?? ''] }),
    ),
    refusedWith('InvalidParameterCombination'),
  )
})

test('only running instances have a status, unless all are asked for', async (context) => {
  const { ec2, run, db } = await start(context)
  const running = await run()
  await settle(db, running, 'pending', 'running')
  await run()
  const { InstanceStatuses = [] } = await ec2.send(new DescribeInstanceStatusCommand({}))
  assert.deepEqual(
    InstanceStatuses.map((status) => [status.InstanceId, status.InstanceStatus?.Status]),
    [[running.InstanceId, 'ok']],
  )
  const all = await ec2.send(new DescribeInstanceStatusCommand({ IncludeAllInstances: true }))
  assert.equal(all.InstanceStatuses?.length, 2)
})

test('the console of an instance that never ran is empty, and has no picture', async (context) => {
  const { ec2, run } = await start(context)
  const { InstanceId } = await run()
  const { Output, Timestamp } = await ec2.send(new GetConsoleOutputCommand({ InstanceId }))
  assert.equal(Output, '')
  assert(Timestamp)
  await assert.rejects(
    ec2.send(new GetConsoleScreenshotCommand({ InstanceId })),
    refusedWith('IncorrectInstanceState'),
  )
  await assert.rejects(
    ec2.send(new GetConsoleOutputCommand({ InstanceId: missing })),
    refusedWith('InvalidInstanceID.NotFound'),
  )
})

test('instance types are described, filtered, and offered in every zone', async (context) => {
  const { ec2 } = await start(context)
  const find = async (input: object) => {
    const { InstanceTypes = [] } = await ec2.send(new DescribeInstanceTypesCommand(input))
    return InstanceTypes
  }
  const [micro] = await find({ InstanceTypes: ['t3.micro'] })
  assert.equal(micro?.VCpuInfo?.DefaultVCpus, 2)
  assert.equal(micro?.MemoryInfo?.SizeInMiB, 1024)
  assert.deepEqual(micro?.SupportedBootModes, ['legacy-bios', 'uefi'])
  const filters = [
    { Name: 'processor-info.supported-architecture', Values: ['arm64'] },
    { Name: 'vcpu-info.default-vcpus', Values: ['1'] },
  ]
  const names = (await find({ Filters: filters })).map((type) => type.InstanceType)
  assert.deepEqual(names, ['c7g.medium', 'm6g.medium'])
  await assert.rejects(find({ InstanceTypes: ['x9.huge'] }), refusedWith('InvalidInstanceType'))
  await assert.rejects(
    find({ Filters: [{ Name: 'colour', Values: ['red'] }] }),
    refusedWith('InvalidParameterValue'),
  )
  const { InstanceTypeOfferings = [] } = await ec2.send(
    new DescribeInstanceTypeOfferingsCommand({
      LocationType: 'availability-zone',
      Filters: [{ Name: 'instance-type', Values: ['t3.micro'] }],
    }),
  )
  assert.deepEqual(
    InstanceTypeOfferings.map((offering) => offering.Location),
    ['us-east-1a', 'us-east-1b', 'us-east-1c'],
  )
})
