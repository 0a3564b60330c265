/**
 * Baking an image of a 2 GiB Debian disk: by the service, from the call to
 * `available`, durable and verified; by `qemu-img convert`; and by borg. The
 * service's store is empty at first, and each round begins with another one.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isInstalled, run, until } from './commands.ts'
import { importImage, makeBlankDisk, obtainDisk, scratchFolder } from './disks.ts'
import { printTable, ratio, spread, timed } from './figures.ts'
import { elementOf, type SignedClient } from './signed-client.ts'
import { startService } from './start-service.ts'

const rounds = 5
const gibibyte = 2 ** 30
const mebibyte = 2 ** 20

/** The change before the second bake: 20 pieces of 1 MiB, anywhere on the disk, by whole pages. */
const pieces = 20
const pieceBytes = mebibyte

interface Bake {
  readonly seconds: number
  readonly storedMiB: number
}

interface Round {
  readonly first: Bake
  readonly second: Bake
}

export async function benchBake(): Promise<void> {
  const disk = await obtainDisk('debian-12')
  const hasBorg = await isInstalled('borg')
  if (!hasBorg) console.log('borg is not installed, so it is left out.')
  const ours: Round[] = []
  const qemu: (Round & { readonly synced: readonly [number, number] })[] = []
  const borg: Round[] = []
  for (let round = 0; round < rounds; round++) {
    await using folder = await scratchFolder()
    const changed = join(folder.path, 'disk.raw')
    await run('cp', ['--sparse=always', disk, changed])
    const change = await makeChange(folder.path)
    ours.push(await bakeByService(folder.path, disk, change))
    const first = await bakeByQemu(join(folder.path, 'first.qcow2'), changed)
    const firstBorg = hasBorg ? await bakeByBorg(folder.path, changed, 'first') : undefined
    await apply(change, changed)
    const second = await bakeByQemu(join(folder.path, 'second.qcow2'), changed)
    qemu.push({ first, second, synced: [first.syncedSeconds, second.syncedSeconds] })
    if (firstBorg) {
      borg.push({ first: firstBorg, second: await bakeByBorg(folder.path, changed, 'second') })
    }
  }
  console.log(`Baking the 2 GiB disk of debian-12, ${rounds} rounds (median, and range)\n`)
  for (const which of ['first', 'second'] as const) {
    const seconds = (all: readonly Round[]) => all.map((round) => round[which].seconds)
    const stored = (all: readonly Round[]) => all.map((round) => round[which].storedMiB)
    const synced = qemu.map(({ synced: [one, other] }) => (which === 'first' ? one : other))
    const row = (name: string, took: readonly number[], kept: readonly number[]) => [
      name,
      spread(took),
      ratio(took, seconds(ours)),
      spread(kept),
    ]
    const title = which === 'first' ? 'first bake' : `second bake, ${pieces} MiB changed`
    printTable([
      [title, 'seconds', 'of ours', 'MiB stored'],
      row('imago: CreateImage to available', seconds(ours), stored(ours)),
      row('qemu-img convert -c, zstd', seconds(qemu), stored(qemu)),
      row('the same, and its output synced', synced, stored(qemu)),
      ...(hasBorg ? [row('borg create -C zstd,1', seconds(borg), stored(borg))] : []),
    ])
  }
}

interface Change {
  readonly offset: number
  /** A file that has the bytes. */
  readonly file: string
}

async function makeChange(folder: string): Promise<readonly Change[]> {
  const pages = Math.floor((2 * gibibyte - 64 * mebibyte) / pieces / 4096)
  return await Promise.all(
    Array.from({ length: pieces }, async (_, index) => {
      const file = join(folder, `change-${index}`)
      await writeFile(file, randomBytes(pieceBytes))
      // One in each twentieth of what lies behind the boot partitions, so that none overlap.
      const page = index * pages + randomInt(pages - pieceBytes / 4096)
      return { offset: 32 * mebibyte + page * 4096, file }
    }),
  )
}

async function apply(change: readonly Change[], path: string): Promise<void> {
  const args = change.flatMap(({ offset, file }) => ['-c', `write -q -s ${file} ${offset} 1M`])
  await run('qemu-io', ['-f', path.endsWith('.qcow2') ? 'qcow2' : 'raw', ...args, path])
  await settle()
}

/** What was prepared is on disk before the clock starts. */
async function settle(): Promise<void> {
  await run('sync', [])
}

async function bakeByService(
  folder: string,
  disk: string,
  change: readonly Change[],
): Promise<Round> {
  const data = join(folder, 'imago')
  await mkdir(data)
  await using service = await startService(data)
  const { client } = service
  // A stopped instance with a disk as large, on which nothing is that the store knows.
  const blank = await makeBlankDisk(join(folder, 'blank.raw'), gibibyte)
  const image = await importImage(client, blank)
  const launched = await client.ec2('RunInstances', {
    ImageId: image,
    InstanceType: 't3.nano',
    MinCount: 1,
    MaxCount: 1,
    'BlockDeviceMapping.1.DeviceName': '/dev/xvda',
    'BlockDeviceMapping.1.Ebs.VolumeSize': 2,
  })
  const instance = elementOf(launched, 'instanceId')
  await awaitState(client, instance, 'running')
  await client.ec2('StopInstances', { 'InstanceId.1': instance, Force: true })
  await awaitState(client, instance, 'stopped')
  const volumes = join(data, 'volumes')
  const [volume = ''] = await readdir(volumes)
  const layer = (number: number) => join(volumes, volume, `${number}.qcow2`)
  await run('qemu-img', ['convert', '-n', '-f', 'raw', '-O', 'qcow2', disk, layer(1)])
  await settle()

  const stored = () => sizeOf(join(data, 'blocks'))
  const bake = async (name: string): Promise<Bake> => {
    const before = await stored()
    const ms = await timed(async () => {
      const made = await client.ec2('CreateImage', { InstanceId: instance, Name: name })
      const ids = { 'ImageId.1': elementOf(made, 'imageId') }
      await until(
        async () => {
          const state = elementOf(await client.ec2('DescribeImages', ids), 'imageState')
          if (state === 'failed') throw new Error('the image has failed')
          return state === 'available' || undefined
        },
        { everyMs: 50 },
      )
    })
    return { seconds: ms / 1000, storedMiB: ((await stored()) - before) / mebibyte }
  }
  const first = await bake('first')
  await apply(change, layer(2))
  const second = await bake('second')
  await client.ec2('TerminateInstances', { 'InstanceId.1': instance })
  await awaitState(client, instance, 'terminated')
  return { first, second }
}

async function awaitState(client: SignedClient, instance: string, wanted: string): Promise<void> {
  await until(
    async () => {
      const text = await client.ec2('DescribeInstances', { 'InstanceId.1': instance })
      const state = /<instanceState>.*?<name>([^<]*)</s.exec(text)?.[1]
      return state === wanted || undefined
    },
    { everyMs: 20 },
  )
}

async function bakeByQemu(path: string, disk: string): Promise<Bake & { syncedSeconds: number }> {
  const options = ['-c', '-O', 'qcow2', '-o', 'compression_type=zstd']
  const ms = await timed(() => run('qemu-img', ['convert', '-f', 'raw', ...options, disk, path]))
  const syncMs = await timed(() => run('sync', [path]))
  const { size } = await stat(path)
  const seconds = ms / 1000
  return { seconds, syncedSeconds: seconds + syncMs / 1000, storedMiB: size / mebibyte }
}

async function bakeByBorg(folder: string, disk: string, name: string): Promise<Bake> {
  const repository = join(folder, 'borg')
  const environment = {
    BORG_BASE_DIR: join(folder, 'borg-home'),
    BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
  }
  const borg = (...args: readonly string[]) => run('borg', args, environment)
  const isNew = name === 'first'
  if (isNew) await borg('init', '--encryption=none', repository)
  const before = isNew ? 0 : await sizeOf(repository)
  const archive = `${repository}::${name}`
  const ms = await timed(() => borg('create', '-C', 'zstd,1', archive, disk))
  const storedMiB = ((await sizeOf(repository)) - before) / mebibyte
  return { seconds: ms / 1000, storedMiB }
}

/** Bytes of all files in a folder. */
async function sizeOf(folder: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size
  }
  return bytes
}
