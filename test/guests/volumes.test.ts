import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  AttachVolumeCommand,
  CopyVolumesCommand,
  CreateReplaceRootVolumeTaskCommand,
  CreateSnapshotCommand,
  CreateVolumeCommand,
  type CreateVolumeCommandInput,
  DescribeReplaceRootVolumeTasksCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
  ModifyVolumeCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import { lastFirst } from '../last-first.ts'
import type { Guest } from './guest.ts'
import { describeInstance, eventually, startWorld, type World } from './world.ts'

const opened = lastFirst()
let world: World
let guest: Guest
let other: Guest
/** A volume that goes from test to test, and what it holds. */
let volumeId: string

before(async () => {
  world = await startWorld(opened)
  const first = await world.launch()
  const second = await world.launch()
  guest = await first.ready()
  other = await second.ready()
  volumeId = await createVolume({ Size: 1 })
})
after(opened.end)

async function createVolume(input: Partial<CreateVolumeCommandInput>): Promise<string> {
  const { Placement } = await describeInstance(world.ec2, guest.id)
  const { VolumeId } = await world.ec2.send(
    new CreateVolumeCommand({ AvailabilityZone: Placement?.AvailabilityZone, ...input }),
  )
  assert(VolumeId)
  return VolumeId
}

async function describeVolume(id: string) {
  const { Volumes = [] } = await world.ec2.send(new DescribeVolumesCommand({ VolumeIds: [id] }))
  assert(Volumes[0])
  return Volumes[0]
}

const untilVolume = (id: string, state: string) =>
  eventually(`${id} is ${state}`, async () => (await describeVolume(id)).State === state)

const untilAttachment = (id: string, state: string) =>
  eventually(`${id} is ${state}`, async () => {
    const { Attachments = [] } = await describeVolume(id)
    return Attachments[0]?.State === state
  })

const diskOf = (id: string) => `/dev/disk/by-id/virtio-${id.replace('-', '')}`

/** Attaches a volume to a machine that runs, and waits until its guest sees the disk. */
async function attach(id: string, to: Guest, Device = '/dev/sdf'): Promise<void> {
  await untilVolume(id, 'available')
  await world.ec2.send(new AttachVolumeCommand({ VolumeId: id, InstanceId: to.id, Device }))
  await untilAttachment(id, 'attached')
  await eventually('the disk', async () => (await to.try(`[ -b ${diskOf(id)} ]`)).code === 0)
}

async function detach(id: string): Promise<void> {
  await world.ec2.send(new DetachVolumeCommand({ VolumeId: id }))
  await untilVolume(id, 'available')
}

test('a volume attached to a machine that runs is a disk that its guest can use', async () => {
  await attach(volumeId, guest)
  assert.equal(await guest.run(`blockdev --getsize64 ${diskOf(volumeId)}`), String(2 ** 30))
  await guest.run(
    `mkfs.ext4 -q ${diskOf(volumeId)} && mount ${diskOf(volumeId)} /mnt && echo data >/mnt/file && sync`,
  )
  assert.match(
    await guest.run('wget -q -O - http://169.254.169.254/latest/meta-data/block-device-mapping/'),
    /ebs1/,
  )
})

test('a volume made of a snapshot has its data, on another machine at the same time', async () => {
  const { SnapshotId = '' } = await world.ec2.send(
    new CreateSnapshotCommand({ VolumeId: volumeId }),
  )
  await eventually('the snapshot', async () => {
    const { Snapshots = [] } = await world.ec2.send(
      new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] }),
    )
    return Snapshots[0]?.State === 'completed'
  })
  const copy = await createVolume({ SnapshotId, Size: 2 })
  await attach(copy, other)
  assert.equal(await other.run(`blockdev --getsize64 ${diskOf(copy)}`), String(2 * 2 ** 30))
  assert.equal(await other.run(`mount ${diskOf(copy)} /mnt && cat /mnt/file`), 'data')
  await other.run('umount /mnt')
  await detach(copy)
})

test('a volume that a guest writes to is copied as it is at the call', async () => {
  const write = 'i=$((i+1)); echo $i >>/mnt/log; sync'
  const writer = `(i=0; while [ -e /mnt/go ]; do ${write}; done) </dev/null >/dev/null 2>&1 &`
  await guest.run(`touch /mnt/go && echo 0 >/mnt/log && sync && ${writer} sleep 1`)
  const { Volumes: [made] = [] } = await world.ec2.send(
    new CopyVolumesCommand({ SourceVolumeId: volumeId, Size: 2, VolumeType: 'gp3' }),
  )
  await guest.run('echo later >/mnt/file && sync')
  const copy = made?.VolumeId ?? ''
  await attach(copy, other)
  assert.equal(await other.run(`blockdev --getsize64 ${diskOf(copy)}`), String(2 * 2 ** 30))
  // It is as after a power cut: its journal is all that it needs.
  assert.equal(await other.run(`mount ${diskOf(copy)} /mnt && cat /mnt/file`), 'data')
  const lines = (await other.run('cat /mnt/log')).trim().split('\n')
  assert(lines.length > 3)
  assert.deepEqual(
    lines,
    lines.map((_line, index) => String(index)),
  )
  await other.run('umount /mnt')
  await detach(copy)
  await guest.run('rm /mnt/go; sleep 1; echo data >/mnt/file; rm /mnt/log; sync')
})

test('a volume goes to another machine with its data', async () => {
  await guest.run('umount /mnt')
  await detach(volumeId)
  await eventually('the disk is gone', async () => {
    return (await guest.try(`[ -e ${diskOf(volumeId)} ]`)).code !== 0
  })
  await attach(volumeId, other)
  assert.equal(await other.run(`mount ${diskOf(volumeId)} /mnt && cat /mnt/file`), 'data')
  await other.run('umount /mnt')
  await detach(volumeId)
})

test('a volume attached to a stopped instance is there when it starts', async () => {
  const { ec2 } = world
  await ec2.send(new StopInstancesCommand({ InstanceIds: [guest.id] }))
  await world.untilState(guest.id, 'stopped')
  await ec2.send(
    new AttachVolumeCommand({ VolumeId: volumeId, InstanceId: guest.id, Device: '/dev/sdf' }),
  )
  await untilAttachment(volumeId, 'attached')
  await ec2.send(new StartInstancesCommand({ InstanceIds: [guest.id] }))
  await guest.ready()
  assert.equal(await guest.run(`mount ${diskOf(volumeId)} /mnt && cat /mnt/file`), 'data')
})

test('a volume grows under its guest, which goes on', async () => {
  await world.ec2.send(new ModifyVolumeCommand({ VolumeId: volumeId, Size: 3 }))
  await eventually('the new size', async () => {
    const size = await guest.run(`blockdev --getsize64 ${diskOf(volumeId)}`)
    return size === String(3 * 2 ** 30)
  })
  assert.equal(await guest.run('cat /mnt/file'), 'data')
  assert.equal((await describeVolume(volumeId)).Size, 3)
})

test('a guest gets its root as it was launched, and keeps its address and its other disk', async () => {
  await guest.run('echo old >/root/mark; sync')
  const before = await guest.addresses()
  const { ReplaceRootVolumeTask } = await world.ec2.send(
    new CreateReplaceRootVolumeTaskCommand({
      InstanceId: guest.id,
      DeleteReplacedRootVolume: true,
    }),
  )
  const id = ReplaceRootVolumeTask?.ReplaceRootVolumeTaskId ?? ''
  await eventually('the new root', async () => {
    const { State } = await describeInstance(world.ec2, guest.id)
    assert.equal(State?.Name, 'running')
    const wanted = new DescribeReplaceRootVolumeTasksCommand({ ReplaceRootVolumeTaskIds: [id] })
    const { ReplaceRootVolumeTasks: [task] = [] } = await world.ec2.send(wanted)
    return task?.TaskState === 'succeeded'
  })
  await guest.ready()
  assert.deepEqual(await guest.addresses(), before)
  assert.notEqual((await guest.try('cat /root/mark')).code, 0)
  assert.equal(await guest.run(`mount ${diskOf(volumeId)} /mnt && cat /mnt/file`), 'data')
})

test('a volume that outlives its machine has what was written to it', async () => {
  await guest.run('echo last >/mnt/last; sync; umount /mnt')
  await world.ec2.send(new TerminateInstancesCommand({ InstanceIds: [guest.id] }))
  await world.untilState(guest.id, 'terminated')
  // The root volume goes with the machine; one that was attached by hand does not.
  await untilVolume(volumeId, 'available')
  await attach(volumeId, other)
  assert.equal(await other.run(`mount ${diskOf(volumeId)} /mnt && cat /mnt/last`), 'last')
})
