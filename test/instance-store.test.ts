/** Instance-store images and what is launched from them, through a real client. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { appendFile, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import {
  AttachVolumeCommand,
  CopyImageCommand,
  CreateImageCommand,
  CreateReplaceRootVolumeTaskCommand,
  CreateSnapshotsCommand,
  CreateStoreImageTaskCommand,
  CreateVolumeCommand,
  DeregisterImageCommand,
  DescribeImagesCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  DescribeVolumesCommand,
  type EC2Client,
  type Filter,
  ModifyImageAttributeCommand,
  ModifyInstanceAttributeCommand,
  type ModifyInstanceAttributeCommandInput,
  RebootInstancesCommand,
  RegisterImageCommand,
  type RegisterImageCommandInput,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import { checkInstallation } from '../src/checker/checker.ts'
import { BlockStore } from '../src/block-store/block-store.ts'
import { transaction } from '../src/db/database.ts'
import { endProcess } from '../src/qemu/machine-process.ts'
import { insertRule } from '../src/recycle-bin/store.ts'
import { listLiveManifests } from '../src/snapshots/live-manifests.ts'
import { writeBareDisk } from './bare-disk.ts'
import { lastFirst } from './last-first.ts'
import { putBundle } from './put-bundle.ts'
import { accountId, allowAll, region, startSystem, type TestSystem } from './system.ts'

const west = 'us-west-2'
const other = '222222222222'

async function start(context: TestContext) {
  const opened = lastFirst()
  context.after(opened.end)
  const system = await startSystem(opened)
  // The disk boots in an instant.
  const disk = join(system.dataFolder, 'bare.raw')
  await writeBareDisk(disk, 'web')
  const { location, folder } = await putBundle(system.dataFolder, disk, 'web')
  const register = async (
    input: Partial<RegisterImageCommandInput> = {},
    client: EC2Client = system.ec2,
  ): Promise<string> => {
    const usual = {
      Name: 'web',
      ImageLocation: location,
      VirtualizationType: 'hvm',
      EnaSupport: true,
    }
    const { ImageId } = await client.send(new RegisterImageCommand({ ...usual, ...input }))
    assert(ImageId)
    return ImageId
  }
  const settled = (id: string, client: EC2Client = system.ec2) =>
    system.until('the image', async () => {
      const found = await describe(client, id)
      return found?.State !== 'pending' && found
    })
  const is = (client: EC2Client, id: string, state: string) =>
    system.until(`${id} is ${state}`, async () => {
      const found = await describeInstance(client, id)
      return found.State?.Name === state && found
    })
  const run = async (client: EC2Client, input: Partial<RunInstancesCommandInput>) => {
    const usual = { InstanceType: 't3.nano' as const, MinCount: 1, MaxCount: 1 }
    const { Instances } = await client.send(new RunInstancesCommand({ ...usual, ...input }))
    const id = Instances?.[0]?.InstanceId
    assert(id)
    // Its network goes with it.
    opened.after(async () => {
      await client.send(new TerminateInstancesCommand({ InstanceIds: [id] }))
      await is(client, id, 'terminated')
    })
    return id
  }
  return { ...system, location, folder, register, settled, run, is }
}

const describe = async (client: EC2Client, id: string) =>
  (await client.send(new DescribeImagesCommand({ ImageIds: [id] }))).Images?.[0]

const refused = async (code: string, call: Promise<unknown>, message = /./) =>
  await assert.rejects(call, { name: code, message })

test('an image is registered of a bundle, and found as what it is', async (context) => {
  const system = await start(context)
  const { ec2, register, settled, location, folder, db } = system
  const id = await register({
    Description: 'of a bucket',
    BlockDeviceMappings: [{ DeviceName: '/dev/sdb', VirtualName: 'ephemeral0' }],
    TagSpecifications: [{ ResourceType: 'image', Tags: [{ Key: 'a', Value: 'b' }] }],
  })
  const image = await settled(id)
  assert.deepEqual(
    { ...image, CreationDate: undefined, DeregistrationProtection: undefined },
    {
      Architecture: 'x86_64',
      BlockDeviceMappings: [{ DeviceName: '/dev/sdb', VirtualName: 'ephemeral0' }],
      CreationDate: undefined,
      DeregistrationProtection: undefined,
      Description: 'of a bucket',
      EnaSupport: true,
      FreeTierEligible: false,
      Hypervisor: 'xen',
      ImageId: id,
      ImageLocation: location,
      ImageType: 'machine',
      ImageWatermarks: [],
      Name: 'web',
      OwnerId: accountId,
      PlatformDetails: 'Linux/UNIX',
      Public: false,
      RootDeviceName: '/dev/sda1',
      RootDeviceType: 'instance-store',
      State: 'available',
      Tags: [{ Key: 'a', Value: 'b' }],
      UsageOperation: 'RunInstances',
      VirtualizationType: 'hvm',
    },
  )
  const found = async (Name: string, ...Values: string[]) => {
    const Filters: Filter[] = [{ Name, Values }]
    const { Images = [] } = await ec2.send(new DescribeImagesCommand({ Owners: ['self'], Filters }))
    return Images.map(({ ImageId }) => ImageId)
  }
  assert.deepEqual(await found('root-device-type', 'instance-store'), [id])
  assert.deepEqual(await found('root-device-type', 'ebs'), [])
  assert.deepEqual(await found('manifest-location', 'images/*/image.manifest.xml'), [id])
  assert.deepEqual(await found('manifest-location', `${accountId}/web`), [])
  assert.deepEqual(await found('hypervisor', 'xen'), [id])
  assert.deepEqual(await found('image-type', 'machine'), [id])
  assert.deepEqual(await found('block-device-mapping.device-name', '/dev/sdb'), [id])
  await refused('InvalidAMIName.Duplicate', register())
  await refused(
    'InvalidRequest',
    ec2.send(new CreateStoreImageTaskCommand({ ImageId: id, Bucket: 'images' })),
  )

  // The bucket is not needed any more, also by a copy.
  const before = await listLiveManifests(db.reads)
  assert.equal(before.length, 1)
  await writeFile(join(folder, 'image.part.00'), 'something else')
  const inWest = system.clientWith({ region: west })
  const copy = new CopyImageCommand({ Name: 'copy', SourceImageId: id, SourceRegion: region })
  const sealed = { Name: 'sealed', SourceImageId: id, SourceRegion: region, Encrypted: true }
  await refused('InvalidParameterCombination', inWest.send(new CopyImageCommand(sealed)))
  const { ImageId: copyId = '' } = await inWest.send(copy)
  const copied = await settled(copyId, inWest)
  assert.equal(copied.State, 'available')
  assert.equal(copied.RootDeviceType, 'instance-store')
  assert.equal(copied.ImageLocation, `${accountId}/copy`)
  assert.deepEqual([copied.SourceImageId, copied.SourceImageRegion], [id, region])

  // The Recycle Bin takes images of volumes alone.
  const owner = { accountId, region }
  const rule = { ...owner, id: 'abcdefghijk', resourceType: 'EC2_IMAGE', retentionDays: 1 } as const
  const ofAll = { description: '', resourceTags: [], excludeResourceTags: [], lock: undefined }
  await transaction(db.writes, (tx) =>
    insertRule(tx, { ...rule, ...ofAll, createdAt: new Date(), revision: 1 }),
  )
  await ec2.send(new DeregisterImageCommand({ ImageId: id, DeleteAssociatedSnapshots: true }))
  await refused('InvalidAMIID.NotFound', describe(ec2, id))
  assert.deepEqual(await listLiveManifests(db.reads), before)
  await inWest.send(new DeregisterImageCommand({ ImageId: copyId }))
  assert.deepEqual(await listLiveManifests(db.reads), [])
})

test('what is no whole bundle is refused, or the image fails', async (context) => {
  const system = await start(context)
  const { ec2, register, settled, folder, db } = system
  const invalid = (ImageLocation: string, why: RegExp) =>
    refused('InvalidManifest', register({ ImageLocation }), why)
  for (const wrong of [
    'x',
    '/',
    'images',
    'images/',
    '../images/x',
    'images/../../x',
    'Images/x',
  ]) {
    await invalid(wrong, /not of the form/)
  }
  await invalid('images/nowhere/image.manifest.xml', /no such object/)
  await invalid('no-such-bucket/image.manifest.xml', /no such object/)
  await invalid('images/web', /no such object/)
  await invalid('images/web/image.part.00', /no/)
  const manifest = await readFile(join(folder, 'image.manifest.xml'), 'utf8')
  const put = (text: string) => writeFile(join(folder, 'other.manifest.xml'), text)
  const otherLocation = 'images/web/other.manifest.xml'
  await put(manifest.replace('image.part.00', '../../image.part.00'))
  await invalid(otherLocation, /a name that it cannot have/)
  await put(manifest.replace('image.part.00', 'image.part.99'))
  await invalid(otherLocation, /there is no part 0/)
  await put(manifest.replace(/<bundled_size>\d+/, '<bundled_size>7'))
  await invalid(otherLocation, /bytes instead of 7/)
  await put(' '.repeat(2 ** 20 + 1))
  await invalid(otherLocation, /too long/)

  const Ebs = { VolumeSize: 1 }
  const mapped = (DeviceName: string, more: object) =>
    register({ BlockDeviceMappings: [{ DeviceName, ...more }] })
  await refused('UnsupportedOperation', mapped('/dev/sdf', { Ebs }), /EBS block device mappings/)
  await refused('InvalidBlockDeviceMapping', mapped('/dev/sda1', { VirtualName: 'ephemeral0' }))
  await refused('DryRunOperation', register({ DryRun: true }))

  // Whoever may register may not read every bucket.
  const mayRegister = { effect: 'Allow', actions: ['ec2:*'], resources: ['*'] } as const
  const toRead = (resource: string) =>
    ({ effect: 'Allow', actions: ['s3:GetObject'], resources: [resource] }) as const
  const withoutParts = toRead('arn:aws:s3:::images/web/image.manifest.xml')
  await refused(
    'UnauthorizedOperation',
    register({}, await system.client(accountId, [mayRegister])),
  )
  await refused(
    'UnauthorizedOperation',
    register({}, await system.client(accountId, [mayRegister, withoutParts])),
  )
  const all = [mayRegister, toRead('arn:aws:s3:::images/web/*'), mayRegister]
  const mine = await register({ Name: 'mine' }, await system.client(accountId, all))
  assert.equal((await settled(mine)).State, 'available')
  // Another account has buckets of its own.
  await refused('InvalidManifest', register({}, await system.client(other)))

  const part = join(folder, 'image.part.00')
  const bytes = await readFile(part)
  bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1
  await writeFile(part, bytes)
  const bad = await settled(await register({ Name: 'bad' }))
  assert.equal(bad.State, 'failed')
  assert.equal(bad.StateReason?.Code, 'Client.InvalidManifest')
  assert.match(bad.StateReason.Message ?? '', /damaged/)
  await refused(
    'InvalidAMIID.Unavailable',
    ec2.send(new RunInstancesCommand({ ImageId: bad.ImageId, MinCount: 1, MaxCount: 1 })),
  )
  await ec2.send(new DeregisterImageCommand({ ImageId: bad.ImageId }))
  await ec2.send(new DeregisterImageCommand({ ImageId: mine }))
  assert.deepEqual(await listLiveManifests(db.reads), [])
})

test('what has changed since the call is not what was registered', async (context) => {
  const dataFolder = await mkdtemp(join(tmpdir(), 'imago-bundle-'))
  context.after(() => rm(dataFolder, { recursive: true }))
  const disk = join(dataFolder, 'bare.raw')
  await writeBareDisk(disk, 'web')
  const { location: ImageLocation, folder } = await putBundle(dataFolder, disk, 'web')
  const opened = lastFirst()
  const idle = await startSystem(opened, { dataFolder, isIdle: true })
  const register = async (Name: string) =>
    (await idle.ec2.send(new RegisterImageCommand({ Name, ImageLocation }))).ImageId ?? ''
  const changed = await register('changed')
  const gone = await register('gone')
  assert.equal((await describe(idle.ec2, changed))?.State, 'pending')
  const command = new RunInstancesCommand({ ImageId: changed, MinCount: 1, MaxCount: 1 })
  await refused('InvalidAMIID.Unavailable', idle.ec2.send(command))
  await idle.ec2.send(new DeregisterImageCommand({ ImageId: gone }))
  const manifest = join(folder, 'image.manifest.xml')
  await appendFile(manifest, '<!-- the same, and another one -->')
  await opened.end()

  const system = await startSystem(context, { dataFolder })
  const image = await system.until('the image', async () => {
    const found = await describe(system.ec2, changed)
    return found?.State !== 'pending' && found
  })
  assert.equal(image.State, 'failed')
  assert.match(image.StateReason?.Message ?? '', /another one now/)
  assert.deepEqual(await findings(system), [])
})

test('an instance of it has its root on the host, until it ends', async (context) => {
  const system = await start(context)
  const { ec2, register, settled, dataFolder, db, is } = system
  const id = await register()
  await settled(id)
  const run = (input: Partial<RunInstancesCommandInput> = {}, client = ec2) =>
    system.run(client, { ImageId: id, ...input })
  const behavior = (InstanceInitiatedShutdownBehavior: 'stop' | 'terminate') =>
    run({ InstanceInitiatedShutdownBehavior })
  await refused('InvalidParameterCombination', behavior('stop'), /only be used for EBS-backed/)
  await refused('UnsupportedOperation', run({ DisableApiStop: true }))
  const BlockDeviceMappings = [{ DeviceName: '/dev/sdf', Ebs: { VolumeSize: 1 } }]
  await refused(
    'UnsupportedOperation',
    run({ BlockDeviceMappings }),
    /not supported for instance-store/,
  )
  await refused('AuthFailure', run({}, await system.client(other)))

  const made = await run()
  const root = join(dataFolder, 'instance-disks', made)
  const instance = await is(ec2, made, 'running')
  assert.equal(instance.RootDeviceType, 'instance-store')
  assert.equal(instance.RootDeviceName, '/dev/sda1')
  assert.deepEqual(instance.BlockDeviceMappings ?? [], [])
  assert.deepEqual((await ec2.send(new DescribeVolumesCommand({}))).Volumes ?? [], [])
  assert(existsSync(join(root, '1.qcow2')))
  assert.deepEqual(await findings(system), [])

  const ids = { InstanceIds: [made] }
  const one = { InstanceId: made }
  const noRoot = /does not have an 'ebs' root device type and cannot be/
  await refused('UnsupportedOperation', ec2.send(new StopInstancesCommand(ids)), noRoot)
  await refused('UnsupportedOperation', ec2.send(new StopInstancesCommand({ ...ids, Force: true })))
  await refused('UnsupportedOperation', ec2.send(new StartInstancesCommand(ids)), noRoot)
  await refused(
    'InvalidParameterValue',
    ec2.send(new CreateImageCommand({ ...one, Name: 'of it' })),
  )
  await refused(
    'UnsupportedOperation',
    ec2.send(new CreateReplaceRootVolumeTaskCommand(one)),
    noRoot,
  )
  const snapshots = new CreateSnapshotsCommand({ InstanceSpecification: one })
  await refused('InvalidParameterValue', ec2.send(snapshots), /No volumes/)
  const modify = (input: Partial<ModifyInstanceAttributeCommandInput>) =>
    ec2.send(new ModifyInstanceAttributeCommand({ ...one, ...input }))
  await refused('IncorrectInstanceState', modify({ InstanceType: { Value: 't3.micro' } }))
  await refused('IncorrectInstanceState', modify({ UserData: { Value: Buffer.from('x') } }))
  await refused('UnsupportedOperation', modify({ DisableApiStop: { Value: true } }))
  const shutdown = (Value: string) => modify({ InstanceInitiatedShutdownBehavior: { Value } })
  await refused('UnsupportedOperation', shutdown('stop'))
  await shutdown('terminate')
  await modify({ DisableApiStop: { Value: false } })
  const Attribute = 'instanceInitiatedShutdownBehavior'
  const described = await ec2.send(new DescribeInstanceAttributeCommand({ ...one, Attribute }))
  assert.equal(described.InstanceInitiatedShutdownBehavior?.Value, 'terminate')

  // It can have volumes beside its root, under other names.
  const zone = instance.Placement?.AvailabilityZone
  const volume = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: zone, Size: 1 }))
  const VolumeId = volume.VolumeId ?? ''
  await system.until('the volume', async () => {
    const { Volumes } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId] }))
    return Volumes?.[0]?.State === 'available'
  })
  const attach = (Device: string) =>
    ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId: made, Device }))
  await refused('InvalidParameterValue', attach('/dev/sda1'), /already in use/)
  await attach('/dev/sdf')

  // The image goes, and the instance still has its disk: what it is made of is kept.
  await ec2.send(new RebootInstancesCommand(ids))
  await ec2.send(new DeregisterImageCommand({ ImageId: id }))
  assert.equal((await listLiveManifests(db.reads)).length, 1)
  await refused('InvalidAMIID.Unavailable', run())
  await is(ec2, made, 'running')

  await ec2.send(new TerminateInstancesCommand(ids))
  await is(ec2, made, 'terminated')
  assert(!existsSync(root))
  assert.deepEqual(await listLiveManifests(db.reads), [])
  await refused('UnsupportedOperation', ec2.send(new StartInstancesCommand(ids)))
  assert.deepEqual(await findings(system), [])
})

test('an instance whose machine fails has lost its disk, and ends', async (context) => {
  const system = await start(context)
  const { ec2, register, settled, dataFolder, run, is } = system
  const id = await register()
  await settled(id)
  const share = { Add: [{ UserId: other }] }
  await ec2.send(new ModifyImageAttributeCommand({ ImageId: id, LaunchPermission: share }))
  const theirs = await system.client(other, [allowAll])
  // What it was made of is in a bucket of its owner's, so whom it is shared with cannot have more.
  await refused(
    'InvalidRequest',
    theirs.send(new CopyImageCommand({ Name: 'copy', SourceImageId: id, SourceRegion: region })),
    /permission to access the storage/,
  )
  const made = await run(theirs, { ImageId: id })
  await is(theirs, made, 'running')
  await endProcess(await realpath(join(dataFolder, 'run', made)))
  const gone = await is(theirs, made, 'terminated')
  assert.equal(gone.StateReason?.Code, 'Server.InternalError')
  assert(!existsSync(join(dataFolder, 'instance-disks', made)))
  assert.deepEqual(await findings(system), [])
})

async function describeInstance(client: EC2Client, id: string) {
  const command = new DescribeInstancesCommand({ InstanceIds: [id] })
  const found = (await client.send(command)).Reservations?.[0]?.Instances?.[0]
  assert(found)
  return found
}

/** What the checker finds. */
async function findings({ db, dataFolder }: TestSystem) {
  const blockStore = await BlockStore.open({
    folder: join(dataFolder, 'blocks'),
    now: () => new Date(),
    graceMs: 0,
    workers: 0,
    readOnly: true,
  })
  try {
    return await Array.fromAsync(checkInstallation({ db: db.reads, blockStore, dataFolder }))
  } finally {
    await blockStore.close()
  }
}
