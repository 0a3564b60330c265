/**
 * Copying the image of a 2 GiB Debian disk to another Region of the same store, from
 * the call until the copy is available, and what it takes on disk; and to a store that
 * has nothing of it, by way of a bucket. Beside them, what one would do without such a
 * store: copying the file, as fast as the disk is.
 */
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { run, until } from './commands.ts'
import { importImage, obtainDisk, scratchFolder } from './disks.ts'
import { printTable, spread, timed } from './figures.ts'
import { elementOf, type SignedClient } from './signed-client.ts'
import { type RunningService, startService } from './start-service.ts'

const rounds = 20
const fileRounds = 5
const mebibyte = 2 ** 20
/** How often what takes long is asked about: who asks takes processor time too. */
const askedEveryMs = 20

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
  const another = await importImage(service.client, await obtainDisk('tiny'))
  const elsewhere = await copyToOtherStores(service, { image, another, disk }, folder.path)
  console.log(
    `Copying the image of the 2 GiB disk of debian-12 to another Region, ` +
      `${rounds} rounds (median, and range)\n`,
  )
  printTable([
    ['copy', 'ms', 'MiB stored by all'],
    ['imago: CopyImage answered', spread(answered), ''],
    ['imago: CopyImage to available', spread(available), (stored / mebibyte).toFixed(1)],
    [
      `imago: into a bucket (${fileRounds} rounds)`,
      spread(elsewhere.stored),
      (elsewhere.objectBytes / mebibyte).toFixed(1),
    ],
    ['imago: out of it into an empty store, to available', spread(elsewhere.restored), ''],
    [`cp of the raw disk, and synced (${fileRounds} rounds)`, spread(elsewhere.copied), ''],
  ])
}

/**
 * Stores the image in a bucket, and restores it in an installation that is new each time, and
 * has restored another one before: programs are compiled as they go. Then copies the disk.
 */
async function copyToOtherStores(
  { client }: RunningService,
  { image, another, disk }: Record<'image' | 'another' | 'disk', string>,
  path: string,
) {
  const stored: number[] = []
  const restored: number[] = []
  const copied: number[] = []
  let objectBytes = 0
  for (let round = 0; round < fileRounds; round++) {
    const bucket = `bench-${round}`
    const from = await makeBucket(client, join(path, 'imago'), bucket)
    await store(client, another, bucket)
    stored.push(await timed(() => store(client, image, bucket)))
    objectBytes = await sizeOf(join(from, `${image}.bin`))
    const data = join(path, `other-${round}`)
    await mkdir(data)
    await using other = await startService(data)
    const to = await makeBucket(other.client, data, bucket)
    for (const id of [another, image]) await rename(join(from, `${id}.bin`), join(to, `${id}.bin`))
    await restore(other.client, another, bucket)
    restored.push(await timed(() => restore(other.client, image, bucket)))
    const copy = join(path, `copy-${round}.raw`)
    copied.push(
      await timed(async () => {
        await run('cp', ['--sparse=always', '--reflink=never', disk, copy])
        await run('sync', [copy])
      }),
    )
    await rm(copy)
  }
  return { stored, restored, copied, objectBytes }
}

async function store(client: SignedClient, image: string, bucket: string): Promise<void> {
  await client.ec2('CreateStoreImageTask', { ImageId: image, Bucket: bucket })
  await until(
    async () => {
      const text = await client.ec2('DescribeStoreImageTasks', { 'ImageId.1': image })
      return text.includes(bucket) && !/InProgress/.test(text) ? true : undefined
    },
    { everyMs: askedEveryMs },
  )
}

async function restore(client: SignedClient, image: string, bucket: string): Promise<void> {
  const task = { Bucket: bucket, ObjectKey: `${image}.bin`, Name: `${image} from ${bucket}` }
  const id = elementOf(await client.ec2('CreateRestoreImageTask', task), 'imageId')
  await until(async () => ((await stateOf(client, id)) === 'available' ? true : undefined), {
    everyMs: askedEveryMs,
  })
}

/** A bucket of the caller's is a folder. */
async function makeBucket(client: SignedClient, data: string, bucket: string): Promise<string> {
  const account = elementOf(await client.ec2('DescribeSecurityGroups'), 'ownerId')
  const path = join(data, 'buckets', account, 'us-east-1', bucket)
  await mkdir(path, { recursive: true })
  return path
}

async function stateOf(client: SignedClient, id: string): Promise<string> {
  return elementOf(await client.ec2('DescribeImages', { 'ImageId.1': id }), 'imageState')
}

async function sizeOf(path: string): Promise<number> {
  return Number((await run('du', ['-sb', path])).split('\t')[0])
}
