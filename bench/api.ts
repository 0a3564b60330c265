/**
 * The API over many images, called by one light client over HTTP with real
 * signatures, side by side with moto's server. Both answer from this machine; the
 * service writes to disk and syncs, moto keeps what it has in memory.
 */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { until } from './commands.ts'
import { importImage, makeBlankDisk, scratchFolder } from './disks.ts'
import { printTable, ratio, short, spread, timed } from './figures.ts'
import { startMoto } from './moto.ts'
import { elementOf, type SignedClient } from './signed-client.ts'
import { startService } from './start-service.ts'

const imagesCount = 10_000
const manyImagesCount = 100_000
const clientsCount = 8
const callsInTurn = 10
const clientsMs = 5000

/** One of the two that are compared, and what it takes to ask the same of both. */
interface Side {
  readonly client: SignedClient
  /** An image that can be launched. */
  readonly image: string
  /** What a registered image names as its root disk. */
  readonly snapshot: string
  /** Images that were registered, with the numbers of their names. */
  readonly images: string[]
}

export async function benchApi(): Promise<void> {
  await using folder = await scratchFolder()
  const data = join(folder.path, 'imago')
  await mkdir(data)
  await using service = await startService(data)
  await using moto = await startMoto()
  if (!moto) console.log('moto_server is not installed, so there is nothing to compare with.')
  const ours = await prepareOurs(service.client, folder.path)
  const theirs = moto && (await prepareMoto(moto.client))
  const sides = [ours, ...(theirs ? [theirs] : [])]

  const register = await alternate(sides, 200, registerImage)
  await fill(ours, data, imagesCount)
  if (theirs) while (theirs.images.length < imagesCount) await registerImage(theirs)
  const run = await alternate(sides, 15, runInstance)
  const byId = await alternate(sides, 300, describeById)
  const byName = await alternate(sides, 60, describeByName)
  const all = await alternate(sides, 5, describeAll)
  const rates: number[] = []
  for (const side of sides) rates.push(await describeByMany(side))
  await fill(ours, data, manyImagesCount)
  const byIdOfMany = await alternate([ours], 300, describeById)

  const row = (name: string, [mine = [], other = []]: readonly (readonly number[])[]) => [
    name,
    spread(mine),
    spread(other),
    ratio(other, mine),
  ]
  const [rate = 0, otherRate] = rates
  console.log(`The API over ${imagesCount} images\n`)
  printTable([
    ['ms a call (median, and range)', 'imago', 'moto_server', 'moto of imago'],
    row('DescribeImages by id', byId),
    row('DescribeImages by owner and exact name', byName),
    row('DescribeImages, all of the owner', all),
    row('RunInstances', run),
    row('RegisterImage', register),
    row(`DescribeImages by id, of ${manyImagesCount}`, byIdOfMany),
  ])
  printTable([
    [`${clientsCount} clients, DescribeImages by id`, 'imago', 'moto_server', 'imago of moto'],
    [
      'calls a second',
      short(rate),
      otherRate === undefined ? '-' : short(otherRate),
      otherRate === undefined ? '-' : `${short(rate / otherRate)}×`,
    ],
  ])
}

async function prepareOurs(client: SignedClient, folder: string): Promise<Side> {
  const disk = await makeBlankDisk(join(folder, 'blank.raw'), 2 ** 30)
  const image = await importImage(client, disk)
  const described = await client.ec2('DescribeImages', { 'ImageId.1': image })
  const side = { client, image, snapshot: elementOf(described, 'snapshotId'), images: [] }
  await runInstance(side) // The network is made by the first one.
  return side
}

async function prepareMoto(client: SignedClient): Promise<Side> {
  const volume = await client.ec2('CreateVolume', { Size: 1, AvailabilityZone: 'us-east-1a' })
  const snapshot = await client.ec2('CreateSnapshot', { VolumeId: elementOf(volume, 'volumeId') })
  const side = { client, image: '', snapshot: elementOf(snapshot, 'snapshotId'), images: [] }
  await registerImage(side)
  const [image = ''] = side.images
  return { ...side, image }
}

/** Asks the sides in turn, some calls each, so that what else the machine does is the same to both. */
async function alternate(
  sides: readonly Side[],
  times: number,
  call: (side: Side) => Promise<number>,
): Promise<readonly (readonly number[])[]> {
  const figures: number[][] = sides.map(() => [])
  // Each has some calls to warm up, until its program is compiled.
  const warmUps = Math.min(150, times - 1)
  for (let done = -warmUps; done < times; done += callsInTurn) {
    for (const [index, side] of sides.entries()) {
      for (let time = done; time < Math.min(done + callsInTurn, times); time++) {
        const ms = await call(side)
        if (time >= 0) figures[index]?.push(ms)
      }
    }
  }
  return figures
}

const nameOf = (number: number): string => `bench-image-${String(number).padStart(7, '0')}`

async function registerImage({ client, snapshot, images }: Side): Promise<number> {
  let text = ''
  const ms = await timed(async () => {
    text = await client.ec2('RegisterImage', {
      Name: nameOf(images.length),
      Description: 'One of many images that are looked through',
      Architecture: 'x86_64',
      VirtualizationType: 'hvm',
      RootDeviceName: '/dev/xvda',
      'BlockDeviceMapping.1.DeviceName': '/dev/xvda',
      'BlockDeviceMapping.1.Ebs.SnapshotId': snapshot,
      'BlockDeviceMapping.1.Ebs.VolumeType': 'gp3',
    })
  })
  images.push(elementOf(text, 'imageId'))
  return ms
}

async function describeById({ client, images }: Side): Promise<number> {
  const image = images[randomInt(images.length)] ?? ''
  return await timed(() => client.ec2('DescribeImages', { 'ImageId.1': image }))
}

async function describeByName({ client, images }: Side): Promise<number> {
  const name = nameOf(randomInt(images.length))
  let text = ''
  const ms = await timed(async () => {
    text = await client.ec2('DescribeImages', {
      'Owner.1': 'self',
      'Filter.1.Name': 'name',
      'Filter.1.Value.1': name,
    })
  })
  assert(text.includes(name))
  return ms
}

async function describeAll({ client, images }: Side): Promise<number> {
  let text = ''
  const ms = await timed(async () => {
    text = await client.ec2('DescribeImages', { 'Owner.1': 'self' })
  })
  const count = text.match(/<imageId>/g)?.length ?? 0
  assert(count >= images.length, `${count} images of ${images.length}`)
  return ms
}

/** The time until it answers. What it starts is gone before the next call. */
async function runInstance({ client, image }: Side): Promise<number> {
  let text = ''
  const ms = await timed(async () => {
    text = await client.ec2('RunInstances', {
      ImageId: image,
      InstanceType: 't3.nano',
      MinCount: 1,
      MaxCount: 1,
    })
  })
  const named = { 'InstanceId.1': elementOf(text, 'instanceId') }
  await client.ec2('TerminateInstances', named)
  await until(
    async () => {
      const described = await client.ec2('DescribeInstances', named)
      return described.includes('<name>terminated</name>') || undefined
    },
    { everyMs: 50 },
  )
  return ms
}

async function describeByMany(side: Side): Promise<number> {
  const start = performance.now()
  let calls = 0
  const one = async () => {
    while (performance.now() - start < clientsMs) {
      await describeById(side)
      calls++
    }
  }
  await Promise.all(Array.from({ length: clientsCount }, one))
  return calls / ((performance.now() - start) / 1000)
}

/** Copies a registered image in the tables themselves, until there are so many. */
async function fill({ images }: Side, data: string, count: number): Promise<void> {
  const [model = ''] = images
  const first = images.length
  const db = new DatabaseSync(join(data, 'imago.db'), { timeout: 10_000 })
  try {
    const columns = db.prepare('SELECT name FROM pragma_table_info(?)').all('images')
    const names = columns.map(({ name }) => String(name))
    const changed: Readonly<Record<string, string>> = {
      id: `'ami-' || printf('%017x', numbers.value + 1000)`,
      name: `'bench-image-' || printf('%07d', numbers.value)`,
      location: `account_id || '/bench-image-' || printf('%07d', numbers.value)`,
    }
    const numbers = `WITH RECURSIVE numbers(value) AS (
      SELECT ${first} UNION ALL SELECT value + 1 FROM numbers WHERE value < ${count - 1})`
    db.exec('BEGIN IMMEDIATE')
    db.exec(`INSERT INTO images (${names.join()}) ${numbers}
      SELECT ${names.map((name) => changed[name] ?? name).join()} FROM numbers, images
      WHERE images.id = '${model}'`)
    db.exec(`INSERT INTO image_snapshots (image_id, snapshot_id) ${numbers}
      SELECT ${changed['id']}, snapshot_id FROM numbers, image_snapshots
      WHERE image_id = '${model}'`)
    db.exec('COMMIT')
  } finally {
    db.close()
  }
  for (let number = first; number < count; number++) {
    images.push(`ami-${(number + 1000).toString(16).padStart(17, '0')}`)
  }
}
