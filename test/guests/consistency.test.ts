/**
 * A snapshot is the disk at its instant, and one of several disks is one instant: a guest
 * writes a numbered log to two file systems, line by line and synced, while snapshots of both
 * are taken at once.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import {
  AttachVolumeCommand,
  CreateSnapshotCommand,
  CreateSnapshotsCommand,
  CreateVolumeCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
} from '@aws-sdk/client-ec2'
import { BlockStore } from '../../src/block-store/block-store.ts'
import { SimDisk } from '../../src/block-store/sim-disk.ts'
import { callImago } from '../../src/cli/imago-client.ts'
import { parseDigest } from '../../src/lib/digest.ts'
import { layerPath, topLayer } from '../../src/qemu/layers.ts'
import { region } from '../system.ts'
import { describeInstance, eventually, startWorld, type World } from './world.ts'

const run = promisify(execFile)

/** Line after line to one disk and then to the other; each is on its disk before the next is written. */
const writer = `
n=0
while [ ! -e /run/enough ]; do
  n=$((n + 1))
  line="$n $(echo "line $n" | sha256sum | cut -c 1-64)"
  for disk in a b; do
    echo "$line" | dd of=/mnt/$disk/log oflag=append conv=notrunc,fsync 2>/dev/null
  done
done
touch /run/ended
`

const lineOf = (number: number) =>
  `${number} ${createHash('sha256').update(`line ${number}\n`).digest('hex')}\n`

/** How many lines the log has. It has to be a log from its beginning, whole to the last line. */
function countLines(log: string): number {
  const count = log.split('\n').length - 1
  const expected = Array.from({ length: count }, (_, at) => lineOf(at + 1)).join('')
  assert.equal(log, expected)
  return count
}

/** The digest that a disk of these bytes has. */
async function digestOfDisk(file: string, sizeBytes: number): Promise<string> {
  const now = () => new Date()
  const store = await BlockStore.open({ folder: new SimDisk(now), now, graceMs: 0, workers: 0 })
  using upload = store.beginUpload()
  const extents = [{ start: 0, length: sizeBytes, file, fileOffset: 0 }]
  return (await upload.saveDisk({ sizeBytes, extents })).manifest
}

async function untilSnapshots({ ec2 }: World, SnapshotIds: string[]): Promise<void> {
  await eventually('the snapshots', async () => {
    const { Snapshots = [] } = await ec2.send(new DescribeSnapshotsCommand({ SnapshotIds }))
    for (const { State, StateMessage } of Snapshots)
      assert.notEqual(State, 'error', StateMessage ?? '')
    return Snapshots.every(({ State }) => State === 'completed')
  })
}

const untilVolume = ({ ec2 }: World, id: string, state: string) =>
  eventually(`${id} is ${state}`, async () => {
    const { Volumes } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [id] }))
    return Volumes?.[0]?.State === state
  })

/** The digest of a snapshot's disk. */
async function manifestOf({ system }: World, id: string): Promise<string> {
  const access = { endpoint: system.endpoint, region, key: system.imago.rootKey }
  return String((await callImago(access, 'GET', `/imago/v1/snapshots/${id}`))['manifest'])
}

/** Makes a snapshot a file, read straight from the block store. */
async function writeSnapshot(world: World, id: string, path: string): Promise<void> {
  const store = await BlockStore.open({
    folder: join(world.system.dataFolder, 'blocks'),
    now: () => new Date(),
    graceMs: 0,
    workers: 0,
    readOnly: true,
  })
  try {
    await store.writeDisk(parseDigest(await manifestOf(world, id)), path)
  } finally {
    await store.close()
  }
}

test('snapshots of two volumes are of one instant, and need no more than their journals', async (context) => {
  const world = await startWorld(context)
  const { ec2, system } = world
  const guest = await world.launch({
    BlockDeviceMappings: ['/dev/sdf', '/dev/sdg'].map((DeviceName) => ({
      DeviceName,
      Ebs: { VolumeSize: 1, DeleteOnTermination: true },
    })),
  })
  await guest.ready()
  const { BlockDeviceMappings = [] } = await describeInstance(ec2, guest.id)
  const volumeOf = (name: string) =>
    BlockDeviceMappings.find(({ DeviceName }) => DeviceName === name)?.Ebs?.VolumeId ?? ''
  const volumes = { a: volumeOf('/dev/sdf'), b: volumeOf('/dev/sdg') }
  const diskOf = (id: string) => `/dev/disk/by-id/virtio-${id.replace('-', '')}`
  for (const [name, id] of Object.entries(volumes)) {
    await guest.run(
      `mkfs.ext4 -q ${diskOf(id)} && mkdir -p /mnt/${name} && mount ${diskOf(id)} /mnt/${name}`,
    )
  }
  await guest.run(`cat >/run/writer <<'END'\n${writer}END\n(sh /run/writer >/dev/null 2>&1 &)`)
  const written = async () => Number(await guest.run('cat /mnt/b/log 2>/dev/null | wc -l'))
  await eventually('a few lines', async () => (await written()) > 5)

  const pairs: { ids: Record<'a' | 'b', string>; before: number; after: number }[] = []
  for (let round = 0; round < 4; round++) {
    const before = await written()
    const { Snapshots = [] } = await ec2.send(
      new CreateSnapshotsCommand({
        InstanceSpecification: { InstanceId: guest.id, ExcludeBootVolume: true },
      }),
    )
    const after = (await written()) + 1
    const idOf = (volume: string) =>
      Snapshots.find(({ VolumeId }) => VolumeId === volume)?.SnapshotId ?? ''
    pairs.push({ ids: { a: idOf(volumes.a), b: idOf(volumes.b) }, before, after })
    await eventually('more lines', async () => (await written()) > after)
  }
  await guest.run('touch /run/enough; while [ ! -e /run/ended ]; do sleep 0.1; done')
  await untilSnapshots(
    world,
    pairs.flatMap(({ ids }) => Object.values(ids)),
  )

  const file = (name: string) => join(system.dataFolder, name)
  for (const { ids, before, after } of pairs) {
    const counts: number[] = []
    for (const id of [ids.a, ids.b]) {
      const disk = file(`${id}.raw`)
      await writeSnapshot(world, id, disk)
      // Exit codes: 0 for a clean file system, 1 for one that was brought up to date.
      await run('e2fsck', ['-p', '-E', 'journal_only', disk]).catch(
        (error: Error & { code?: number }) => {
          assert.equal(error.code, 1, error.message)
        },
      )
      await run('e2fsck', ['-fn', disk])
      const { stdout } = await run('debugfs', ['-R', 'cat /log', disk], { maxBuffer: 2 ** 24 })
      counts.push(countLines(stdout))
    }
    const [a = 0, b = 0] = counts
    assert(a === b || a === b + 1, `${a} lines on the first disk, and ${b} on the other`)
    // What was synced before the call is there, and nothing of what was written after its answer.
    assert(before <= a && a <= after, `${before} ≤ ${a} ≤ ${after}`)
  }

  await context.test('volumes made of them are mounted by the guest as they are', async () => {
    const last = pairs.at(-1)
    assert(last)
    const { Placement } = await describeInstance(ec2, guest.id)
    const made: string[] = []
    for (const SnapshotId of [last.ids.a, last.ids.b]) {
      const { AvailabilityZone } = Placement ?? {}
      const { VolumeId = '' } = await ec2.send(
        new CreateVolumeCommand({ AvailabilityZone, SnapshotId }),
      )
      made.push(VolumeId)
    }
    const counts: number[] = []
    for (const [at, VolumeId] of made.entries()) {
      await untilVolume(world, VolumeId, 'available')
      const Device = ['/dev/sdh', '/dev/sdi'][at]
      await ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId: guest.id, Device }))
      await eventually('the disk', async () => {
        return (await guest.try(`[ -b ${diskOf(VolumeId)} ]`)).code === 0
      })
      await guest.run(`mkdir -p /mnt/${at} && mount ${diskOf(VolumeId)} /mnt/${at}`)
      counts.push(countLines(`${await guest.run(`cat /mnt/${at}/log`)}\n`))
    }
    const [a = 0, b = 0] = counts
    assert(a >= last.before && (a === b || a === b + 1))
  })

  await context.test(
    'of a volume that nobody writes, the bytes are those of the snapshot',
    async () => {
      await guest.run('umount /mnt/a')
      await ec2.send(new DetachVolumeCommand({ VolumeId: volumes.a }))
      await untilVolume(world, volumes.a, 'available')
      const { SnapshotId = '' } = await ec2.send(new CreateSnapshotCommand({ VolumeId: volumes.a }))
      await untilSnapshots(world, [SnapshotId])
      const folder = join(system.dataFolder, 'volumes', volumes.a)
      const top = layerPath(folder, await topLayer(folder))
      await run('qemu-img', ['convert', '-U', '-O', 'raw', top, file('volume.raw')])
      const { size } = await stat(file('volume.raw'))
      assert.equal(size, 2 ** 30)
      assert.equal(
        await manifestOf(world, SnapshotId),
        await digestOfDisk(file('volume.raw'), size),
      )
    },
  )
})
