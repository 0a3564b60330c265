/**
 * Reading and writing an encrypted volume in a guest, beside a plain one: the guest (`tiny`) has
 * one of each and takes turns, first writing with a sync at the end, then reading what is in no
 * cache of its own any more. It tells the times by its own clock.
 */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from './commands.ts'
import { importImage, obtainDisk, scratchFolder } from './disks.ts'
import { printTable, spread } from './figures.ts'
import { elementOf } from './signed-client.ts'
import { startService } from './start-service.ts'

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5)
const mebibytes = 256

/** The volumes are the second and third disk: plain, and encrypted. */
const guestScript = `#!/bin/sh
now() { read up _ < /proc/uptime; echo "\${up%.*}\${up#*.}"; }
timed() { from=$(now); shift_name=$1; shift; "$@" >/dev/null 2>&1; echo "bench-$shift_name=$(($(now) - from))." > /dev/console; }
round=0
while [ $round -le ${rounds} ]; do
  for disk in b c; do
    timed write-$disk-$round dd if=/dev/zero of=/dev/vd$disk bs=1M count=${mebibytes} conv=fsync
  done
  for disk in b c; do
    echo 3 > /proc/sys/vm/drop_caches
    timed read-$disk-$round dd if=/dev/vd$disk of=/dev/null bs=1M count=${mebibytes}
  done
  round=$((round + 1))
done
echo "bench-over." > /dev/console
`

export async function benchEncryption(): Promise<void> {
  await using folder = await scratchFolder()
  const data = join(folder.path, 'imago')
  await mkdir(data)
  await using service = await startService(data)
  const { client } = service
  const image = await importImage(client, await obtainDisk('tiny'))
  const launched = await client.ec2('RunInstances', {
    ImageId: image,
    InstanceType: 't3.nano',
    MinCount: 1,
    MaxCount: 1,
    UserData: Buffer.from(guestScript).toString('base64'),
    'BlockDeviceMapping.1.DeviceName': '/dev/sdb',
    'BlockDeviceMapping.1.Ebs.VolumeSize': 1,
    'BlockDeviceMapping.2.DeviceName': '/dev/sdc',
    'BlockDeviceMapping.2.Ebs.VolumeSize': 1,
    'BlockDeviceMapping.2.Ebs.Encrypted': true,
  })
  const instance = elementOf(launched, 'instanceId')
  const path = join(data, 'run', instance, 'console.log')
  const said = await until(
    async () => {
      const text = await readFile(path, 'latin1').catch(() => '')
      return text.includes('bench-over.') ? text : undefined
    },
    { everyMs: 200 },
  )
  await client.ec2('TerminateInstances', { 'InstanceId.1': instance })
  const rows = [['256 MiB in the guest', 'plain, MiB/s', 'encrypted, MiB/s', 'of plain', 'goal']]
  for (const what of ['write', 'read'] as const) {
    const speeds = (disk: 'b' | 'c') =>
      Array.from({ length: rounds }, (_, index) => {
        // The first turn makes the room in the volume's file.
        const ticks = new RegExp(`bench-${what}-${disk}-${index + 1}=(\\d+)\\.`).exec(said)?.[1]
        return mebibytes / (Math.max(1, Number(ticks)) / 100)
      })
    const [plain, encrypted] = [speeds('b'), speeds('c')]
    const ratios = encrypted.map((speed, index) => speed / (plain[index] ?? speed))
    rows.push([what, spread(plain), spread(encrypted), spread(ratios), '≥ 0.7'])
  }
  console.log(`Encrypted volumes in a guest (${service.accelerator}), ${rounds} rounds\n`)
  printTable(rows)
}
