import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  AttachVolumeCommand,
  CreateImageCommand,
  type CreateImageCommandInput,
  CreateSnapshotCommand,
  CreateVolumeCommand,
  DeleteVolumeCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
  type Image,
  StartInstancesCommand,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2'
import { findSnapshot } from '../../src/snapshots/store.ts'
import { lastFirst } from '../last-first.ts'
import type { Guest } from './guest.ts'
import { describeInstance, eventually, startWorld, type World } from './world.ts'

const opened = lastFirst()
let world: World
/** A machine with two more volumes, which every test bakes. */
let guest: Guest

before(async () => {
  world = await startWorld(opened)
  guest = await world.launch({
    BlockDeviceMappings: [
      { DeviceName: '/dev/sdf', Ebs: { VolumeSize: 1 } },
      { DeviceName: '/dev/sdg', Ebs: { VolumeSize: 1 } },
    ],
  })
  await guest.ready()
})
after(opened.end)

const mebibyte = 2 ** 20
const bootId = () => guest.run('cat /proc/sys/kernel/random/boot_id')

async function bake(input: Omit<CreateImageCommandInput, 'InstanceId'>): Promise<Image> {
  const { ImageId = '' } = await world.ec2.send(
    new CreateImageCommand({ InstanceId: guest.id, ...input }),
  )
  return await world.untilImage(ImageId)
}

const snapshotOf = ({ BlockDeviceMappings = [] }: Image, device: string) =>
  BlockDeviceMappings.find(({ DeviceName }) => DeviceName === device)?.Ebs?.SnapshotId

/** The first line of what a snapshot holds, read by the guest from a volume that is plugged in. */
async function firstLineOf(SnapshotId: string | undefined): Promise<string> {
  const { ec2 } = world
  const { Placement } = await describeInstance(ec2, guest.id)
  const { VolumeId = '' } = await ec2.send(
    new CreateVolumeCommand({ SnapshotId, AvailabilityZone: Placement?.AvailabilityZone }),
  )
  const untilVolume = (state: string) =>
    eventually(`${VolumeId} is ${state}`, async () => {
      const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId] }))
      return Volumes[0]?.State === state
    })
  await untilVolume('available')
  await ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId: guest.id, Device: '/dev/sdp' }))
  const disk = `/dev/disk/by-id/virtio-${VolumeId.replace('-', '')}`
  await eventually('the disk', async () => (await guest.try(`[ -b ${disk} ]`)).code === 0)
  const line = await guest.run(`head -n 1 ${disk}`)
  await ec2.send(new DetachVolumeCommand({ VolumeId }))
  await untilVolume('available')
  await ec2.send(new DeleteVolumeCommand({ VolumeId }))
  return line.trim()
}

test('an image of a running machine has all its volumes at one instant, and it runs on', async () => {
  const boot = await bootId()
  // One number after the other, always on the first disk before it is on the second.
  await guest.run(`cat >/root/writer <<'END'
#!/bin/sh
number=1
while [ ! -e /root/enough ]; do
  for disk in /dev/vdb /dev/vdc; do
    printf '%511s\\n' $number | dd of=$disk bs=512 count=1 conv=notrunc,fsync 2>/dev/null
  done
  number=$((number + 1))
done
END
chmod +x /root/writer; setsid /root/writer </dev/null >/dev/null 2>&1 & echo $! >/root/writer.pid`)
  const written = async () => Number(await guest.run('head -n 1 /dev/vdc'))
  await eventually('the writer', async () => (await written()) > 3)
  const images: Image[] = []
  for (const Name of ['running-1', 'running-2', 'running-3']) {
    images.push(await bake({ Name, NoReboot: true }))
  }
  const last = await written()
  await eventually('the writer goes on', async () => (await written()) > last)
  assert.equal(await bootId(), boot)
  await guest.run('touch /root/enough')
  const seen: number[] = []
  for (const image of images) {
    const first = Number(await firstLineOf(snapshotOf(image, '/dev/sdf')))
    const second = Number(await firstLineOf(snapshotOf(image, '/dev/sdg')))
    assert(first === second || first === second + 1, `${first} and ${second}`)
    seen.push(first)
  }
  assert.deepEqual(
    seen,
    seen.toSorted((a, b) => a - b),
  )
})

test('a snapshot stores what changed, and many in a row keep the chains short', async () => {
  const { ec2, system } = world
  const { BlockDeviceMappings = [] } = await describeInstance(ec2, guest.id)
  assert.deepEqual(
    BlockDeviceMappings.map(({ DeviceName }) => DeviceName),
    ['/dev/xvda', '/dev/sdf', '/dev/sdg'],
  )
  const VolumeId = BlockDeviceMappings[0]?.Ebs?.VolumeId
  assert(VolumeId)
  const snapshots: string[] = []
  for (let round = 1; round <= 8; round++) {
    await guest.run(`head -c ${mebibyte} /dev/urandom >/root/part-${round}; sync`)
    // No more than five may be under way.
    const taken = await eventually('a snapshot', () =>
      ec2.send(new CreateSnapshotCommand({ VolumeId })).catch(unlessTooMany),
    )
    snapshots.push(taken.SnapshotId ?? '')
  }
  await eventually('all snapshots', async () => {
    const { Snapshots = [] } = await ec2.send(
      new DescribeSnapshotsCommand({ SnapshotIds: snapshots }),
    )
    return Snapshots.every(({ State }) => State === 'completed')
  })
  for (const id of snapshots) {
    const found = await findSnapshot(system.db.reads, id as `snap-${string}`)
    assert(found?.state === 'completed')
    assert(found.fullSizeBytes > 20 * mebibyte)
    // The file, and some blocks of the file system's own.
    assert(found.addedBytes < 6 * mebibyte, `${id} stored ${found.addedBytes} bytes`)
  }
  const folder = join(system.dataFolder, 'volumes', VolumeId)
  await eventually('the chain is short', async () => (await readdir(folder)).length <= 6)
})

test('a machine that is rebooted for its image has every file in it, on the disks that were named', async () => {
  const boot = await bootId()
  const digests = await guest.run('cd /root && sha256sum part-*')
  const image = await bake({
    Name: 'rebooted',
    BlockDeviceMappings: [
      { DeviceName: '/dev/sdf', NoDevice: '' },
      { DeviceName: '/dev/sdh', Ebs: { VolumeSize: 2 } },
    ],
  })
  await guest.ready()
  assert.notEqual(await bootId(), boot)
  assert.deepEqual(
    image.BlockDeviceMappings?.map(({ DeviceName }) => DeviceName),
    ['/dev/xvda', '/dev/sdg', '/dev/sdh'],
  )
  const copy = await world.launch({ ImageId: image.ImageId })
  await copy.ready()
  assert.equal(await copy.run('cd /root && sha256sum part-*'), digests)
  assert.match(await copy.run('head -n 1 /dev/vdb'), /^ *\d+$/)
  assert.equal(await copy.run('cat /sys/class/block/vdc/size'), String((2 * 2 ** 30) / 512))
  assert.equal(await copy.run('cat /var/lib/imago/instance-id'), copy.id)
  assert.notEqual(
    await copy.run('sha256sum </etc/dropbear/dropbear_ed25519_host_key'),
    await guest.run('sha256sum </etc/dropbear/dropbear_ed25519_host_key'),
  )
})

test('an image of a stopped instance has what it wrote last', async () => {
  const { ec2 } = world
  await guest.run('printf "the last word\\n" | dd of=/dev/vdb conv=notrunc 2>/dev/null')
  await ec2.send(new StopInstancesCommand({ InstanceIds: [guest.id] }))
  await world.untilState(guest.id, 'stopped')
  const image = await bake({ Name: 'stopped' })
  assert.equal((await describeInstance(ec2, guest.id)).State?.Name, 'stopped')
  await ec2.send(new StartInstancesCommand({ InstanceIds: [guest.id] }))
  await guest.ready()
  assert.equal(await firstLineOf(snapshotOf(image, '/dev/sdf')), 'the last word')
})

function unlessTooMany(error: unknown): undefined {
  const isTooMany = error instanceof Error && error.name === 'ConcurrentSnapshotLimitExceeded'
  if (!isTooMany) throw error
}
