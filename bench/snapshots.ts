/**
 * Snapshots of a disk that a guest writes to, and volumes made from snapshots. The guest
 * (`tiny`) overwrites 20 MiB, says so, and is still; then `CreateSnapshot` is called, and asked
 * about until it is `completed`. All the while the guest looks at its own clock, which ticks
 * every 10 ms, and tells the longest time in which it could not: that is its pause.
 * A volume from a snapshot is timed from the call until it is `available`, until it is attached to
 * a guest that runs, and until that guest has read the last MiB in use of it, and found it right: the first from
 * each snapshot, whose content still lies in the store alone, and one after that is a file.
 */
import assert from 'node:assert/strict'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from './commands.ts'
import { importImage, obtainDisk, scratchFolder } from './disks.ts'
import { printTable, spread, timed } from './figures.ts'
import { fill, lastFilled } from './memory.ts'
import { elementOf, type SignedClient } from './signed-client.ts'
import { startService } from './start-service.ts'

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5)
const volumesEach = 10
const pollMs = 5

/** Writes once more than is measured: the first snapshot has all of the disk to store. */
const guestScript = `#!/bin/sh
watch() {
  read last _ < /proc/uptime; last=\${last%.*}\${last#*.}
  while :; do
    read now _ < /proc/uptime; now=\${now%.*}\${now#*.}
    gap=$((now - last)); last=$now
    [ $gap -gt 1 ] && echo "$now gap $gap" >> /dev/shm/gaps
  done
}
mkdir -p /dev/shm; : > /dev/shm/gaps
round=0
while [ $round -le ${rounds} ]; do
  dd if=/dev/urandom of=/bench-fill bs=1M count=20 conv=notrunc,fsync 2>/dev/null
  watch & watcher=$!
  echo "bench-changed-$round." > /dev/console
  sleep 5
  kill $watcher
  longest=$(sort -n -k 3 /dev/shm/gaps | tail -n 1 | cut -d ' ' -f 3)
  echo "bench-gap-$round=\${longest:-1}." > /dev/console
  : > /dev/shm/gaps
  round=$((round + 1))
done
`

export async function benchSnapshots(): Promise<void> {
  await using folder = await scratchFolder()
  const data = join(folder.path, 'imago')
  await mkdir(data)
  await using service = await startService(data)
  const { client } = service
  const snapshots: number[] = []
  const pauses: number[] = []
  const image = await importImage(client, await obtainDisk('tiny'))
  const launched = await client.ec2('RunInstances', {
    ImageId: image,
    InstanceType: 't3.nano',
    MinCount: 1,
    MaxCount: 1,
    UserData: Buffer.from(guestScript).toString('base64'),
  })
  const instance = elementOf(launched, 'instanceId')
  const said = (pattern: RegExp) =>
    until(
      async () => {
        const text = await readFile(join(data, 'run', instance, 'console.log'), 'latin1').catch(
          () => '',
        )
        return pattern.exec(text) ?? undefined
      },
      { everyMs: 20 },
    )
  const volume = await until(
    async () => {
      const text = await client.ec2('DescribeInstances', { 'InstanceId.1': instance })
      return /<volumeId>([^<]*)/.exec(text)?.[1]
    },
    { everyMs: 50 },
  )
  for (let round = 0; round <= rounds; round++) {
    await said(new RegExp(`bench-changed-${round}\\.`))
    const ms = await timed(() => takeSnapshot(client, volume))
    const gap = await said(new RegExp(`bench-gap-${round}=(\\d+)\\.`))
    if (round === 0) continue
    snapshots.push(ms)
    pauses.push(Number(gap[1]) * 10)
  }
  await client.ec2('TerminateInstances', { 'InstanceId.1': instance })
  const reader = elementOf(
    await client.ec2('RunInstances', {
      ImageId: image,
      InstanceType: 't3.nano',
      MinCount: 1,
      MaxCount: 1,
      UserData: Buffer.from(readerScript()).toString('base64'),
    }),
    'instanceId',
  )
  const readerSaid = async (pattern: RegExp) => {
    const path = join(data, 'run', reader, 'console.log')
    return await until(
      async () => pattern.exec(await readFile(path, 'latin1').catch(() => '')) ?? undefined,
      { everyMs: 5 },
    )
  }
  await readerSaid(/bench-reader-waits/)

  const rows = [
    ['what', 'ms', 'goal'],
    ['snapshot of 20 MiB changed by a running guest, until completed', spread(snapshots), '< 500'],
    ['longest pause of that guest, by its clock of 10 ms', spread(pauses), '< 50'],
  ]
  let attachedCount = 0
  /** Makes a volume of the snapshot and has the guest read it: the times from the call on. */
  const use = async (SnapshotId: string): Promise<{ id: string; ms: readonly number[] }> => {
    const since = performance.now()
    const id = await makeVolume(client, { SnapshotId })
    const availableMs = performance.now() - since
    const number = attachedCount++
    const Device = `/dev/sd${'fghi'.charAt(number)}`
    await client.ec2('AttachVolume', { VolumeId: id, InstanceId: reader, Device })
    await until(
      async () => {
        const text = await client.ec2('DescribeVolumes', { 'VolumeId.1': id })
        return /<status>attached</.test(text) ? true : undefined
      },
      { everyMs: pollMs },
    )
    const attachedMs = performance.now() - since
    const [, found] = await readerSaid(new RegExp(`bench-read-${number}=([0-9 ]*)\\.`))
    assert.equal(found, `${2 ** 20} 0`, 'the guest has read something else')
    return { id, ms: [availableMs, attachedMs, performance.now() - since] }
  }
  for (const { sizeGiB, usedMiB } of disks) {
    const source = await makeVolume(client, { Size: sizeGiB })
    await fill(join(data, 'volumes', source), usedMiB, sizeGiB)
    const SnapshotId = await takeSnapshot(client, source)
    const first = await use(SnapshotId)
    const wholeMs = await timed(() => isWhole(client, first.id))
    const ms: number[] = []
    for (let count = 0; count < volumesEach; count++) {
      ms.push(await timed(() => makeVolume(client, { SnapshotId })))
    }
    const next = await use(SnapshotId)
    const name = `a volume from a snapshot of ${sizeGiB} GiB, ${usedMiB} MiB in use`
    const steps = ['available', 'attached to a guest', 'read by it, and right']
    for (const [index, step] of steps.entries()) {
      const goal = index === 0 ? '< 50' : ''
      rows.push([`${name}: the first, ${step}`, spread(first.ms.slice(index, index + 1)), goal])
      const others = index === 0 ? ms : next.ms.slice(index, index + 1)
      rows.push([`${name}: the next, ${step}`, spread(others), goal])
    }
    rows.push([`${name}: a file, after that`, spread([wholeMs]), ''])
  }
  await client.ec2('TerminateInstances', { 'InstanceId.1': reader })
  console.log(`Snapshots and volumes from them (${service.accelerator}), ${rounds} rounds\n`)
  printTable(rows)
}

/** The disks that volumes are made of, each of which is attached twice. */
const disks = [
  { sizeGiB: 2, usedMiB: 512 },
  { sizeGiB: 100, usedMiB: 256 },
]

/** Tells of each disk that comes how many bytes there are of the last MiB in use, and how many of them are wrong. */
function readerScript(): string {
  const wanted = disks
    .flatMap((disk) => [disk, disk])
    .map(({ sizeGiB, usedMiB }, index) => {
      const last = lastFilled(usedMiB, sizeGiB)
      const octal = last.byte.toString(8).padStart(3, '0')
      return `"vd${'bcde'.charAt(index)} ${last.atMiB} ${octal}"`
    })
  return `#!/bin/sh
mkdir -p /dev/shm
echo bench-reader-waits > /dev/console
number=0
for one in ${wanted.join(' ')}; do
  set -- $one
  while ! [ -b /dev/$1 ]; do sleep 0.01; done
  dd if=/dev/$1 of=/dev/shm/read bs=1M skip=$2 count=1 2>/dev/null
  bytes=$(cat /dev/shm/read | wc -c)
  wrong=$(tr -d "\\\\$3" < /dev/shm/read | wc -c)
  echo "bench-read-$number=$bytes $wrong." > /dev/console
  number=$((number + 1))
done
`
}

/** Waits until nothing of the volume is read from the store any more. */
async function isWhole(client: SignedClient, volume: string): Promise<true> {
  return await until(
    async () => {
      const text = await client.ec2('DescribeVolumeStatus', { 'VolumeId.1': volume })
      return elementOf(text, 'progress') === '100' ? true : undefined
    },
    { everyMs: pollMs },
  )
}

async function takeSnapshot(client: SignedClient, volume: string): Promise<string> {
  const id = elementOf(await client.ec2('CreateSnapshot', { VolumeId: volume }), 'snapshotId')
  return await until(
    async () => {
      const text = await client.ec2('DescribeSnapshots', { 'SnapshotId.1': id })
      return elementOf(text, 'status') === 'completed' ? id : undefined
    },
    { everyMs: pollMs },
  )
}

async function makeVolume(
  client: SignedClient,
  of: Readonly<Record<string, string | number>>,
): Promise<string> {
  const made = await client.ec2('CreateVolume', { AvailabilityZone: 'us-east-1a', ...of })
  const id = elementOf(made, 'volumeId')
  return await until(
    async () => {
      const text = await client.ec2('DescribeVolumes', { 'VolumeId.1': id })
      return elementOf(text, 'status') === 'available' ? id : undefined
    },
    { everyMs: pollMs },
  )
}
