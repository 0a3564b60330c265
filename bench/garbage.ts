/**
 * The collector's pass over a million blocks: ten snapshots that share 95 % of theirs. Once
 * with nothing to free, and once after one of the ten was deleted, which is to free its own
 * blocks and no other. Meanwhile the service is asked to describe things, call after call.
 * Packs, indexes and manifests are as ever; but what is in a block is a few bytes that nobody
 * looks at, as half a terabyte would take long to make.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { BlockKey } from '../src/block-store/block.ts'
import { blockSizeBytes } from '../src/block-store/block.ts'
import { type Disk, folders, openDisk } from '../src/block-store/disk.ts'
import { manifestOf } from '../src/block-store/manifest.ts'
import { encodedManifest, Manifests } from '../src/block-store/manifests.ts'
import { targetEntries } from '../src/block-store/pack-format.ts'
import { PackWriter } from '../src/block-store/pack-writer.ts'
import { until } from './commands.ts'
import { scratchFolder } from './disks.ts'
import { printTable, quantile, short, timed } from './figures.ts'
import { elementOf, type SignedClient } from './signed-client.ts'
import { type RunningService, startService } from './start-service.ts'

const snapshotsCount = 10
/** Five hundredths of what each has, so that there are a million together. */
const ownCount = 34_483
const sharedCount = ownCount * 19
const blocksCount = sharedCount + snapshotsCount * ownCount
const packedBytes = 40
/** Older than what the collector leaves alone because it is young. */
const ageMs = 3_600_000
const warmUps = 100

export async function benchGarbage(): Promise<void> {
  await using folder = await scratchFolder()
  const data = join(folder.path, 'imago')
  await mkdir(data)
  const snapshots = await makeSnapshots(data)
  const seconds = (await timed(() => fill(data, snapshots))) / 1000
  await using service = await startService(data)
  const { client } = service
  const describe = () => timed(() => client.ec2('DescribeSnapshots', { 'Owner.1': 'self' }))
  for (let call = 0; call < warmUps; call++) await describe()
  const usual: number[] = []
  for (let call = 0; call < 1000; call++) usual.push(await describe())
  const { nowMiB } = await service.memory()

  const rows = [
    ['pass', 's', 'describes: p50, ms', 'p99', 'longest', 'MiB at most', 'blocks freed'],
  ]
  const row = (
    name: string,
    calls: readonly number[],
    ...rest: readonly [string, string, string]
  ) => {
    const [p50, p99, most] = [0.5, 0.99, 1].map((part) => short(quantile(calls, part)))
    const [passSeconds, memory, freed] = rest
    rows.push([name, passSeconds, p50 ?? '', p99 ?? '', most ?? '', memory, freed])
  }
  row('none', usual, '-', short(nowMiB), '-')
  const pass = async (name: string, expected: number) => {
    await service.forgetPeak()
    const { ms, calls, blocksDeleted } = await collect(service, describe)
    assert.equal(blocksDeleted, expected, 'it has not freed what it was to free')
    const { peakMiB } = await service.memory()
    row(name, calls, short(ms / 1000), short(peakMiB), String(blocksDeleted))
  }
  await pass('nothing to free', 0)
  await client.ec2('DeleteSnapshot', { SnapshotId: snapshots[5] ?? '' })
  await pass('one of ten snapshots deleted', ownCount)

  console.log(
    `Garbage among ${blocksCount} blocks of ${snapshotsCount} snapshots that share 95 % ` +
      `(made in ${short(seconds)} s); goals: 30 s, 300 MiB, ${ownCount} blocks\n`,
  )
  printTable(rows)
}

/** Snapshots of a volume with nothing on it, whose content is put in their place later. */
async function makeSnapshots(data: string): Promise<readonly string[]> {
  await using service = await startService(data)
  const { client } = service
  const made = await client.ec2('CreateVolume', { Size: 512, AvailabilityZone: 'us-east-1a' })
  const volume = { VolumeId: elementOf(made, 'volumeId') }
  const ids: string[] = []
  for (let number = 0; number < snapshotsCount; number++) {
    await untilState(client, 'DescribeVolumes', { 'VolumeId.1': volume.VolumeId }, 'available')
    const id = elementOf(await client.ec2('CreateSnapshot', volume), 'snapshotId')
    await untilState(client, 'DescribeSnapshots', { 'SnapshotId.1': id }, 'completed')
    ids.push(id)
  }
  await client.ec2('DeleteVolume', volume)
  return ids
}

async function untilState(
  client: SignedClient,
  action: string,
  parameters: Readonly<Record<string, string>>,
  state: string,
): Promise<void> {
  await until(
    async () => {
      const text = await client.ec2(action, parameters)
      return elementOf(text, 'status') === state || undefined
    },
    { everyMs: 10 },
  )
}

/** Makes packs and manifests as if they had been there for long, and has the snapshots name them. */
async function fill(data: string, snapshots: readonly string[]): Promise<void> {
  const blocks = join(data, 'blocks')
  const disk = await openDisk(blocks)
  const manifests = new Manifests(disk, await disk.list('manifests'))
  const numbers = Array.from({ length: 10_000 }).keys()
  const shared = await makeBlocks(disk, numbers, sharedCount)
  const db = new DatabaseSync(join(data, 'imago.db'), { timeout: 10_000 })
  try {
    for (const id of snapshots) {
      const own = await makeBlocks(disk, numbers, ownCount)
      const places = new Map([...shared, ...own].map((key, index) => [index, key]))
      const encoded = encodedManifest(manifestOf(places.size * blockSizeBytes, places))
      await manifests.write(encoded, 0)
      db.prepare('UPDATE snapshots SET manifest = ? WHERE id = ?').run(encoded.digest, id)
    }
  } finally {
    db.close()
  }
  const at = new Date(Date.now() - ageMs)
  for (const name of folders) {
    for (const file of await readdir(join(blocks, name)))
      await utimes(join(blocks, name, file), at, at)
  }
}

async function makeBlocks(
  disk: Disk,
  numbers: Iterator<number>,
  count: number,
): Promise<readonly BlockKey[]> {
  const all: BlockKey[] = []
  while (all.length < count) {
    const many = Math.min(targetEntries, count - all.length)
    const keys = Array.from({ length: many }, () => randomBytes(32).toString('latin1'))
    const number = String(1_000_000 + Number(numbers.next().value)).padStart(10, '0')
    const pack = new PackWriter({ disk, number })
    const bytes = randomBytes(packedBytes * many)
    const blocks = keys.map((_, at) => bytes.subarray(at * packedBytes, (at + 1) * packedBytes))
    await pack.append(keys, blocks)
    await pack.seal(0)
    all.push(...keys)
  }
  return all
}

/** Has garbage collected, and makes calls until it is done. */
async function collect({ client }: RunningService, describe: () => Promise<number>) {
  const ask = async (method: 'GET' | 'POST') => {
    const path = '/imago/v1/garbage-collections'
    const type = 'application/json'
    const { text } = await client.call({ service: 'imago', method, path, type, body: '' })
    return JSON.parse(text) as { readonly number?: number; readonly blocksDeleted?: number }
  }
  const calls: number[] = []
  let last: Awaited<ReturnType<typeof ask>> = {}
  const ms = await timed(async () => {
    const { number = 0 } = await ask('POST')
    for (let round = 0; (last.number ?? 0) < number; round++) {
      calls.push(await describe())
      if (round % 20 === 0) last = await ask('GET')
    }
  })
  return { ms, calls, blocksDeleted: last.blocksDeleted }
}
