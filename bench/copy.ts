/**
 * Copying the image of a 2 GiB Debian disk to another Region of the same store, from
 * the call until the copy is available, and what it takes on disk. Beside it, what
 * one would do without such a store: copying the file, as fast as the disk is.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { run, until } from './commands.ts'
import { importImage, obtainDisk, scratchFolder } from './disks.ts'
import { printTable, spread, timed } from './figures.ts'
import { elementOf, type SignedClient } from './signed-client.ts'
import { startService } from './start-service.ts'

const rounds = 20
const fileRounds = 3
const mebibyte = 2 ** 20

export async function benchCopy(): Promise<void> {
  const disk = await obtainDisk('debian-12')
  await using folder = await scratchFolder()
  const data = join(folder.path, 'imago')
  await mkdir(data)
  await using service = await startService(data)
  const image = await importImage(service.client, disk)
  const west = service.client.inRegion('us-west-2')
  const blocks = () => sizeOf(join(data, 'blocks'))
  const before = await blocks()
  const answered: number[] = []
  const available: number[] = []
  for (let round = 0; round < rounds; round++) {
    let id = ''
    const started = performance.now()
    answered.push(
      await timed(async () => {
        const copied = await west.ec2('CopyImage', {
          SourceRegion: 'us-east-1',
          SourceImageId: image,
          Name: `copy ${round}`,
        })
        id = elementOf(copied, 'imageId')
      }),
    )
    await until(async () => ((await stateOf(west, id)) === 'available' ? true : undefined), {
      everyMs: 1,
    })
    available.push(performance.now() - started)
  }
  const stored = (await blocks()) - before
  west.close()

  const files: number[] = []
  for (let round = 0; round < fileRounds; round++) {
    const path = join(folder.path, `copy-${round}.raw`)
    files.push(
      await timed(async () => {
        await run('cp', ['--sparse=always', '--reflink=never', disk, path])
        await run('sync', [path])
      }),
    )
  }
  console.log(
    `Copying the image of the 2 GiB disk of debian-12 to another Region, ` +
      `${rounds} rounds (median, and range)\n`,
  )
  printTable([
    ['copy', 'ms', 'MiB stored by all'],
    ['imago: CopyImage answered', spread(answered), ''],
    ['imago: CopyImage to available', spread(available), (stored / mebibyte).toFixed(1)],
    [`cp of the raw disk, and synced (${fileRounds} rounds)`, spread(files), ''],
  ])
}

async function stateOf(client: SignedClient, id: string): Promise<string> {
  return elementOf(await client.ec2('DescribeImages', { 'ImageId.1': id }), 'imageState')
}

async function sizeOf(path: string): Promise<number> {
  return Number((await run('du', ['-sb', path])).split('\t')[0])
}
