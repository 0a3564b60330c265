/**
 * Snapshots of a disk that a guest writes to, and volumes made from snapshots. The guest
 * (`tiny`) overwrites 20 MiB, says so, and is still; then `CreateSnapshot` is called, and asked
 * about until it is `completed`. All the while the guest looks at its own clock, which ticks
 * every 10 ms, and tells the longest time in which it could not: that is its pause.
 * A volume from a snapshot is timed from the call until it is `available`: the first from
 * each, whose content is taken out of the store for it, and those after it.
 */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from './commands.ts'
import { importImage, obtainDisk, scratchFolder } from './disks.ts'
import { printTable, spread, timed } from './figures.ts'
import { fill } from './memory.ts'
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

  const rows = [
    ['what', 'ms', 'goal'],
    ['snapshot of 20 MiB changed by a running guest, until completed', spread(snapshots), '< 500'],
    ['longest pause of that guest, by its clock of 10 ms', spread(pauses), '< 50'],
  ]
  for (const { sizeGiB, usedMiB } of [
    { sizeGiB: 2, usedMiB: 512 },
    { sizeGiB: 100, usedMiB: 256 },
  ]) {
    const source = await makeVolume(client, { Size: sizeGiB })
    await fill(join(data, 'volumes', source), usedMiB, sizeGiB)
    const SnapshotId = await takeSnapshot(client, source)
    const ms: number[] = []
    for (let count = 0; count <= volumesEach; count++) {
      ms.push(await timed(() => makeVolume(client, { SnapshotId })))
    }
    const name = `a volume from a snapshot of ${sizeGiB} GiB, ${usedMiB} MiB in use`
    rows.push([`${name}: the first`, spread(ms.slice(0, 1)), ''])
    rows.push([`${name}: the next`, spread(ms.slice(1)), '< 50'])
  }
  console.log(`Snapshots and volumes from them (${service.accelerator}), ${rounds} rounds\n`)
  printTable(rows)
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
