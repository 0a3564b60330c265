/**
 * What the service takes of memory: at rest, after some calls, and while it
 * stores a 100 GiB volume on which little is in use.
 */
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { run, until } from './commands.ts'
import { scratchFolder } from './disks.ts'
import { printTable, short, timed } from './figures.ts'
import { elementOf } from './signed-client.ts'
import { startService } from './start-service.ts'

const calls = 500
/** Threads of the block store end when there has been no work for a while. */
const restMs = 10_000

export async function benchMemory(): Promise<void> {
  await using folder = await scratchFolder()
  const data = join(folder.path, 'imago')
  await mkdir(data)
  await using service = await startService(data)
  const { client } = service
  const rows: string[][] = [['', 'seconds', 'MiB now', 'MiB at most']]
  const row = async (name: string, seconds = '') => {
    const { nowMiB, peakMiB } = await service.memory()
    rows.push([name, seconds, short(nowMiB), short(peakMiB)])
  }
  await row('just started', short(service.startMs / 1000))
  await wait(restMs)
  await row('idle')
  for (let call = 0; call < calls; call++) await client.ec2('DescribeInstances')
  await row(`after ${calls} calls`)

  for (const usedMiB of [16, 256]) {
    const made = await client.ec2('CreateVolume', { Size: 100, AvailabilityZone: 'us-east-1a' })
    const volume = elementOf(made, 'volumeId')
    await until(
      async () => {
        const text = await client.ec2('DescribeVolumes', { 'VolumeId.1': volume })
        return elementOf(text, 'status') === 'available' || undefined
      },
      { everyMs: 20 },
    )
    await fill(join(data, 'volumes', volume), usedMiB)
    const ms = await timed(async () => {
      const id = elementOf(await client.ec2('CreateSnapshot', { VolumeId: volume }), 'snapshotId')
      await until(
        async () => {
          const text = await client.ec2('DescribeSnapshots', { 'SnapshotId.1': id })
          return elementOf(text, 'status') === 'completed' || undefined
        },
        { everyMs: 20 },
      )
    })
    await row(`a volume of 100 GiB with ${usedMiB} MiB in use, stored`, short(ms / 1000))
  }
  await wait(restMs)
  await row('idle again')
  console.log('Memory of the service\n')
  printTable(rows)
}

/** Where the last of the pieces lies that `fill` writes, and what it is full of. */
export const lastFilled = (usedMiB: number, diskGiB: number) =>
  pieceOf(usedMiB - 1, usedMiB, diskGiB)

const pieceOf = (index: number, usedMiB: number, diskGiB: number) => ({
  atMiB: index * Math.floor((diskGiB * 1024) / usedMiB),
  byte: (index % 255) + 1,
})

/** Writes pieces of 1 MiB all over the disk. */
export async function fill(volumeFolder: string, usedMiB: number, diskGiB = 100): Promise<void> {
  const [layer = ''] = await readdir(volumeFolder)
  const writes = Array.from({ length: usedMiB }, (_, index) => {
    const { atMiB, byte } = pieceOf(index, usedMiB, diskGiB)
    return ['-c', `write -q -P ${byte} ${atMiB}M 1M`]
  })
  await run('qemu-io', ['-f', 'qcow2', ...writes.flat(), join(volumeFolder, layer)])
  await run('sync', [])
}
