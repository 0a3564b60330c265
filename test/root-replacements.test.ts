/** Root volumes are replaced, through a real client. What a guest sees of it is in `guests/volumes.test.ts`. */
import assert from 'node:assert/strict'
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import {
  CopySnapshotCommand,
  CreateReplaceRootVolumeTaskCommand,
  type CreateReplaceRootVolumeTaskCommandInput,
  CreateSnapshotCommand,
  CreateVolumeCommand,
  DescribeInstancesCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  DescribeReplaceRootVolumeTasksCommand,
  DisableImageCommand,
  ListVolumesInRecycleBinCommand,
  ModifySnapshotTierCommand,
  RunInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import { blankSnapshot, registerBlank } from './blank-image.ts'
import { transaction } from '../src/db/database.ts'
import { listRoots } from '../src/inventory/root-store.ts'
import type { Id } from '../src/lib/ids.ts'
import { insertRule } from '../src/recycle-bin/store.ts'
import { findProcess } from '../src/qemu/machine-process.ts'
import { callerOf } from './kms-sdk.ts'
import { lastFirst } from './last-first.ts'
import { accountId, region, startSystem } from './system.ts'

async function start(context: TestContext) {
  const opened = lastFirst()
  context.after(opened.end)
  const system = await startSystem(opened)
  const { ec2 } = system
  const until = system.until.bind(system)
  const snapshotId = await blankSnapshot(system)
  const imageId = await registerBlank(system, snapshotId, { Name: 'a root' })
  const describe = async (id: string) => {
    const wanted = new DescribeInstancesCommand({ InstanceIds: [id] })
    return (await ec2.send(wanted)).Reservations?.[0]?.Instances?.[0]
  }
  const tasks = async (input: object) =>
    (await ec2.send(new DescribeReplaceRootVolumeTasksCommand(input))).ReplaceRootVolumeTasks ?? []
  const untilTask = (id: string | undefined, state: string) =>
    until(`the task is ${state}`, async () => {
      const [task] = await tasks({ ReplaceRootVolumeTaskIds: [id ?? ''] })
      return task?.TaskState === state && task
    })
  const machineOf = async (id: string) =>
    await findProcess(await realpath(join(system.dataFolder, 'run', id)))
  opened.after(async () => {
    const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({}))
    const InstanceIds = Reservations.flatMap(({ Instances = [] }) =>
      Instances.map(({ InstanceId = '' }) => InstanceId),
    )
    await ec2.send(new TerminateInstancesCommand({ InstanceIds }))
    for (const id of InstanceIds) {
      // Where a disk outlives it, its guest would be given the time to say farewell.
      const pid = await machineOf(id).catch(() => undefined)
      if (pid) process.kill(pid, 'SIGKILL')
      await until('its end', async () => (await describe(id))?.State?.Name === 'terminated')
    }
  })
  const rootOf = async (id: string) => (await describe(id))?.BlockDeviceMappings?.[0]?.Ebs?.VolumeId
  return {
    ...system,
    until,
    tasks,
    untilTask,
    rootOf,
    volume: async (id: string | undefined) => {
      const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({}))
      return Volumes.find(({ VolumeId }) => VolumeId === id)
    },
    /** Stands for a guest that shuts down when it is asked to: these have none that would. */
    endMachine: async (id: string) => {
      const pid = await machineOf(id)
      assert(pid)
      process.kill(pid, 'SIGKILL')
      return pid
    },
    /** What the record of its launch says of its roots since. */
    rootsSince: async (id: string) =>
      (await listRoots(system.db.reads, id as Id<'instance'>)).map((root) => [
        root.image?.imageId,
        root.image?.imageName,
        root.snapshotId,
        root.volumeId,
      ]),
    machineOf,
    snapshotId,
    imageId,
    describe,
    launch: async () => {
      const { Instances = [] } = await ec2.send(
        new RunInstancesCommand({
          ImageId: imageId,
          InstanceType: 't3.nano',
          MinCount: 1,
          MaxCount: 1,
        }),
      )
      const id = Instances[0]?.InstanceId ?? ''
      await until('running', async () => (await describe(id))?.State?.Name === 'running')
      return id
    },
    replace: async (input: CreateReplaceRootVolumeTaskCommandInput) =>
      (await ec2.send(new CreateReplaceRootVolumeTaskCommand(input))).ReplaceRootVolumeTask,
  }
}

test('an instance gets its root as it was launched, and stays what it is', async (context) => {
  const system = await start(context)
  const { launch, replace, untilTask, rootOf, volume, describe, endMachine } = system
  const { ec2, until, imageId, snapshotId } = system
  const InstanceId = await launch()
  const before = await describe(InstanceId)
  const old = await rootOf(InstanceId)
  const input = {
    InstanceId,
    ClientToken: 'once',
    TagSpecifications: [
      { ResourceType: 'replace-root-volume-task' as const, Tags: [{ Key: 'a', Value: 'b' }] },
    ],
  }
  const task = await replace(input)
  assert.deepEqual([task?.TaskState, task?.Tags], ['pending', [{ Key: 'a', Value: 'b' }]])
  assert.equal((await replace(input))?.ReplaceRootVolumeTaskId, task?.ReplaceRootVolumeTaskId)
  await assert.rejects(replace({ InstanceId }), { name: 'IncorrectState' })
  await untilTask(task?.ReplaceRootVolumeTaskId, 'in-progress')
  const machine = await endMachine(InstanceId)
  const done = await untilTask(task?.ReplaceRootVolumeTaskId, 'succeeded')
  assert.match(done.CompleteTime ?? '', /^\d{4}-\d\d-\d\dT[\d:]+Z$/)
  const after = await describe(InstanceId)
  assert.deepEqual(
    [after?.State?.Name, after?.PrivateIpAddress, after?.PublicIpAddress],
    ['running', before?.PrivateIpAddress, before?.PublicIpAddress],
  )
  const root = await rootOf(InstanceId)
  assert.notEqual(root, old)
  assert.equal((await volume(root))?.State, 'in-use')
  assert.equal((await volume(old))?.State, 'available')
  assert.deepEqual(await system.rootsSince(InstanceId), [[imageId, 'a root', undefined, root]])
  const now = await system.machineOf(InstanceId)
  assert(now !== undefined && now !== machine)

  // Nothing is made of an archived snapshot.
  await ec2.send(new DisableImageCommand({ ImageId: imageId }))
  await ec2.send(new ModifySnapshotTierCommand({ SnapshotId: snapshotId }))
  await until('archived', async () => {
    const wanted = new DescribeSnapshotsCommand({ SnapshotIds: [snapshotId] })
    return (await ec2.send(wanted)).Snapshots?.[0]?.StorageTier === 'archive'
  })
  await assert.rejects(replace({ InstanceId }), { name: 'IncorrectState' })
})

const rule = {
  id: 'abcdefghijk',
  accountId,
  region,
  resourceType: 'EBS_VOLUME',
  retentionDays: 1,
  description: '',
  resourceTags: [],
  excludeResourceTags: [],
  createdAt: new Date(0),
  lock: undefined,
  revision: 1,
} as const

test('a root is replaced by a snapshot of its line, an image and a volume', async (context) => {
  const system = await start(context)
  const { ec2, until, imageId, launch, replace, untilTask, rootOf, volume, endMachine } = system
  const { rootsSince } = system
  const InstanceId = await launch()
  const first = await rootOf(InstanceId)
  const { SnapshotId } = await ec2.send(new CreateSnapshotCommand({ VolumeId: first }))
  await until('the snapshot', async () => {
    const wanted = new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId ?? ''] })
    return (await ec2.send(wanted)).Snapshots?.[0]?.State === 'completed'
  })
  const { VolumeId } = await ec2.send(
    new CreateVolumeCommand({ AvailabilityZone: `${region}a`, SnapshotId, Size: 2 }),
  )
  await until('the volume', async () => (await volume(VolumeId))?.State === 'available')
  const recorded: unknown[][] = []
  for (const source of [{ ImageId: imageId }, { SnapshotId }, { VolumeId }]) {
    const old = await rootOf(InstanceId)
    const task = await replace({ InstanceId, ...source, DeleteReplacedRootVolume: true })
    await untilTask(task?.ReplaceRootVolumeTaskId, 'in-progress')
    await endMachine(InstanceId)
    const done = await untilTask(task?.ReplaceRootVolumeTaskId, 'succeeded')
    assert.deepEqual(
      [done.ImageId, done.SnapshotId],
      ['ImageId' in source ? imageId : undefined, 'SnapshotId' in source ? SnapshotId : undefined],
    )
    await until('the old one is gone', async () => (await volume(old)) === undefined)
    // What a rule retains can be brought back.
    const { Volumes: binned } = await ec2.send(new ListVolumesInRecycleBinCommand({}))
    assert.deepEqual(
      binned?.map((one) => one.VolumeId),
      'VolumeId' in source ? [old] : [],
    )
    if ('SnapshotId' in source) await transaction(system.db.writes, (tx) => insertRule(tx, rule))
    const image = 'ImageId' in source ? [imageId, 'a root'] : [undefined, undefined]
    recorded.push([...image, done.SnapshotId, await rootOf(InstanceId)])
    assert.deepEqual(await rootsSince(InstanceId), recorded)
  }
  assert.equal(await rootOf(InstanceId), VolumeId)
})

test('a task goes on when its instance is stopped, and fails when that ends', async (context) => {
  const system = await start(context)
  const { ec2, launch, replace, untilTask, rootOf, volume, describe, until } = system
  const InstanceId = await launch()
  const old = await rootOf(InstanceId)
  const stopped = await replace({ InstanceId })
  await ec2.send(new StopInstancesCommand({ InstanceIds: [InstanceId], Force: true }))
  await untilTask(stopped?.ReplaceRootVolumeTaskId, 'succeeded')
  assert.equal((await describe(InstanceId))?.State?.Name, 'stopped')
  assert.notEqual(await rootOf(InstanceId), old)
  await assert.rejects(replace({ InstanceId }), { name: 'IncorrectInstanceState' })

  const other = await launch()
  const { VolumeId } = await ec2.send(
    new CreateVolumeCommand({ AvailabilityZone: `${region}a`, Size: 2 }),
  )
  await until('the volume', async () => (await volume(VolumeId))?.State === 'available')
  const ended = await replace({ InstanceId: other, VolumeId })
  assert.equal((await volume(VolumeId))?.State, 'in-use')
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: [other] }))
  await untilTask(ended?.ReplaceRootVolumeTaskId, 'failed')
  assert.equal((await volume(VolumeId))?.State, 'available')
})

test('an instance whose new root cannot be opened stops, and says why', async (context) => {
  const system = await start(context)
  const { ec2, launch, replace, untilTask, rootOf, volume, describe, until, endMachine } = system
  const kms = callerOf(context, system.settingsWith())
  const { KeyId } = (await kms('CreateKey')).KeyMetadata ?? {}
  const { VolumeId } = await ec2.send(
    new CreateVolumeCommand({
      AvailabilityZone: `${region}a`,
      Size: 2,
      Encrypted: true,
      KmsKeyId: KeyId,
    }),
  )
  await until('the volume', async () => (await volume(VolumeId))?.State === 'available')
  const InstanceId = await launch()
  const task = await replace({ InstanceId, VolumeId })
  await untilTask(task?.ReplaceRootVolumeTaskId, 'in-progress')
  await kms('DisableKey', { KeyId })
  await endMachine(InstanceId)
  await untilTask(task?.ReplaceRootVolumeTaskId, 'failed-detached')
  await until('it stops', async () => (await describe(InstanceId))?.State?.Name === 'stopped')
  const { StateReason } = (await describe(InstanceId)) ?? {}
  assert.equal(StateReason?.Code, 'Client.InvalidKMSKey.InvalidState')

  await kms('EnableKey', { KeyId })
  await ec2.send(new StartInstancesCommand({ InstanceIds: [InstanceId] }))
  await until('it runs', async () => (await describe(InstanceId))?.State?.Name === 'running')
  assert.equal(await rootOf(InstanceId), VolumeId)
  const [mapping] = (await describe(InstanceId))?.BlockDeviceMappings ?? []
  assert.equal(mapping?.Ebs?.DeleteOnTermination, false, 'a given volume outlives its instance')

  // An encrypted root is not replaced by a plain one, and keeps its key.
  const plain = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: `${region}a`, Size: 2 }))
  await until('another', async () => (await volume(plain.VolumeId))?.State === 'available')
  await assert.rejects(replace({ InstanceId, VolumeId: plain.VolumeId }), {
    name: 'InvalidParameterValue',
  })
  const copy = await ec2.send(
    new CopySnapshotCommand({
      SourceRegion: region,
      SourceSnapshotId: system.snapshotId,
      Encrypted: true,
    }),
  )
  const SnapshotIds = [copy.SnapshotId ?? '']
  await until('the copy', async () => {
    const { Snapshots } = await ec2.send(new DescribeSnapshotsCommand({ SnapshotIds }))
    return Snapshots?.[0]?.State === 'completed'
  })
  const ImageId = await registerBlank(system, SnapshotIds[0] ?? '', { Name: 'of another key' })
  const another = await replace({ InstanceId, ImageId })
  await untilTask(another?.ReplaceRootVolumeTaskId, 'in-progress')
  await endMachine(InstanceId)
  await untilTask(another?.ReplaceRootVolumeTaskId, 'succeeded')
  const key = (await volume(VolumeId))?.KmsKeyId
  assert(key)
  assert.equal((await volume(await rootOf(InstanceId)))?.KmsKeyId, key)
})

test('what cannot replace a root volume is refused with a code', async (context) => {
  const { ec2, imageId, snapshotId, launch, replace, tasks } = await start(context)
  await assert.rejects(
    ec2.send(
      new RunInstancesCommand({
        ImageId: imageId,
        MinCount: 1,
        MaxCount: 1,
        BlockDeviceMappings: [
          { DeviceName: '/dev/xvda', Ebs: { VolumeType: 'st1', VolumeSize: 125 } },
        ],
      }),
    ),
    { name: 'BootForVolumeTypeUnsupported' },
  )
  await assert.rejects(replace({ InstanceId: 'i-0123456789abcdef0' }), {
    name: 'InvalidInstanceID.NotFound',
  })
  const InstanceId = await launch()
  const refused = (input: object, name: string) =>
    assert.rejects(replace({ InstanceId, ...input }), { name })
  await refused({ SnapshotId: snapshotId }, 'InvalidParameterValue')
  await refused({ SnapshotId: 'snap-0123456789abcdef0' }, 'InvalidSnapshot.NotFound')
  await refused({ ImageId: 'ami-0123456789abcdef0' }, 'InvalidAMIID.NotFound')
  await refused({ VolumeId: 'vol-0123456789abcdef0' }, 'InvalidVolume.NotFound')
  await refused({ ImageId: imageId, SnapshotId: snapshotId }, 'InvalidParameterCombination')
  await refused({ VolumeInitializationRate: 1 }, 'InvalidParameterValue')
  await refused(
    { TagSpecifications: [{ ResourceType: 'volume', Tags: [{ Key: 'a', Value: 'b' }] }] },
    'InvalidParameterValue',
  )
  await assert.rejects(tasks({ ReplaceRootVolumeTaskIds: ['replacevol-0123456789abcdef0'] }), {
    name: 'InvalidReplaceRootVolumeTaskId.NotFound',
  })
  await assert.rejects(tasks({ ReplaceRootVolumeTaskIds: ['task'] }), {
    name: 'InvalidReplaceRootVolumeTaskId.Malformed',
  })
  assert.deepEqual(await tasks({}), [])
})
