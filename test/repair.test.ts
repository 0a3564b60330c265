/** Everything in the block store rots: what has another copy is whole again, and the rest is told by name. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { EBSClient, GetSnapshotBlockCommand, ListSnapshotBlocksCommand } from '@aws-sdk/client-ebs'
import {
  CreateSnapshotCommand,
  CreateStoreImageTaskCommand,
  CreateVolumeCommand,
  DeleteSnapshotCommand,
  DeregisterImageCommand,
  DescribeImagesCommand,
  DescribeSnapshotsCommand,
  DescribeStoreImageTasksCommand,
  DescribeVolumesCommand,
} from '@aws-sdk/client-ec2'
import { entryAt, entryCount } from '../src/block-store/block-index.ts'
import { openDisk } from '../src/block-store/disk.ts'
import { loadPack } from '../src/block-store/pack-reader.ts'
import { fsck } from '../src/cli/commands/fsck.ts'
import type { Shell } from '../src/cli/shell.ts'
import { KillableServer } from './killable-server.ts'
import { accountId, region } from './system.ts'

const run = promisify(execFile)

/** Flips a byte of a file, which is as old as before. */
async function damage(path: string, at: number): Promise<void> {
  const { atime, mtime } = await stat(path)
  await using file = await open(path, 'r+')
  const byte = Buffer.alloc(1)
  await file.read(byte, 0, 1, at)
  await file.write(Buffer.of(byte.readUInt8() ^ 0xff), 0, 1, at)
  await file.close()
  await utimes(path, atime, mtime)
}

/** Damages every block and every manifest there is, and tells how many. */
async function damageAll(folder: string): Promise<{ blocks: number; manifests: number }> {
  const disk = await openDisk(folder, true)
  let blocks = 0
  for (const info of await disk.list('packs')) {
    const pack = await loadPack(disk, info)
    for (let position = 0; position < entryCount(pack); position++, blocks++) {
      const { offset, length } = entryAt(pack, position)
      await damage(join(folder, 'packs', info.name), offset + (length >> 1))
    }
  }
  const manifests = await disk.list('manifests')
  for (const { name, sizeBytes } of manifests) {
    await damage(join(folder, 'manifests', name), sizeBytes >> 1)
  }
  return { blocks, manifests: manifests.length }
}

/** The command as it would be typed, on the folder of a server that is not at work. */
async function repair({ dataFolder }: KillableServer) {
  let text = ''
  const stream = new PassThrough().setEncoding('utf8')
  stream.on('data', (chunk: string) => (text += chunk))
  const shell = {
    environment: { IMAGO_DATA: dataFolder },
    folder: dataFolder,
    output: stream,
    errors: new PassThrough().resume(),
    now: () => new Date(),
  } as unknown as Shell
  const code = await fsck(shell, { repair: true })
  return { code, lines: text.split('\n').filter((line) => line !== '') }
}

async function snapshotOf({ ec2 }: KillableServer, imageId: string): Promise<string> {
  const { Images } = await ec2.send(new DescribeImagesCommand({ ImageIds: [imageId] }))
  return Images?.[0]?.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId ?? ''
}

async function importImage(server: KillableServer, name: string): Promise<string> {
  const source = join(server.dataFolder, `${name}.raw`)
  await writeFile(source, Buffer.concat([randomBytes(2 ** 20), Buffer.alloc(2 ** 20)]))
  const body = { source, name, bootMode: 'legacy-bios' }
  const { importId } = await server.imago('POST', '/imago/v1/imports', body)
  return await server.until(`the import ${name}`, async () => {
    const found = await server.imago('GET', `/imago/v1/imports/${String(importId)}`)
    assert.notEqual(found['state'], 'error', String(found['message']))
    return found['state'] === 'completed' && String(found['imageId'])
  })
}

async function makeVolume(server: KillableServer, SnapshotId?: string): Promise<string> {
  const { ec2 } = server
  const input = { AvailabilityZone: `${region}a`, Size: 1, SnapshotId }
  const { VolumeId = '' } = await ec2.send(new CreateVolumeCommand(input))
  await server.until('the volume', async () => {
    const { Volumes } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId] }))
    return Volumes?.[0]?.State === 'available'
  })
  return VolumeId
}

test('what rots is repaired from buckets, bases and volumes, and what has no copy is lost by name', async (context) => {
  const server = await KillableServer.make(context)
  await server.start()
  const { ec2, dataFolder } = server

  // One image is in a bucket, and one has a base on this host.
  const bucket = join(dataFolder, 'buckets', accountId, region, 'images')
  await mkdir(bucket, { recursive: true })
  const stored = await importImage(server, 'stored')
  await ec2.send(new CreateStoreImageTaskCommand({ ImageId: stored, Bucket: 'images' }))
  await server.until('the task', async () => {
    const wanted = new DescribeStoreImageTasksCommand({ ImageIds: [stored] })
    const [task] = (await ec2.send(wanted)).StoreImageTaskResults ?? []
    return task?.StoreTaskState === 'Completed'
  })
  const based = await importImage(server, 'based')
  await makeVolume(server, await snapshotOf(server, based))
  // One snapshot has its volume still, and one image has nothing but itself.
  const volumeId = await makeVolume(server)
  const content = join(dataFolder, 'content')
  await writeFile(content, randomBytes(3 * 2 ** 18))
  const write = `write -s ${content} 5M 768k`
  await run('qemu-io', [
    '-f',
    'qcow2',
    '-c',
    write,
    join(dataFolder, 'volumes', volumeId, '1.qcow2'),
  ])
  const { SnapshotId: taken = '' } = await ec2.send(
    new CreateSnapshotCommand({ VolumeId: volumeId }),
  )
  await server.until('the snapshot', async () => {
    const wanted = new DescribeSnapshotsCommand({ SnapshotIds: [taken] })
    return (await ec2.send(wanted)).Snapshots?.[0]?.State === 'completed'
  })
  const alone = await importImage(server, 'alone')
  const lonely = await snapshotOf(server, alone)
  await server.close()

  const blocks = join(dataFolder, 'blocks')
  assert.deepEqual(await damageAll(blocks), { blocks: 8, manifests: 4 })
  const found = await server.check()
  assert.equal(found.filter(({ what }) => what.startsWith('is damaged')).length, 12)

  const repaired = await repair(server)
  assert.equal(repaired.code, 1)
  const saying = (pattern: RegExp) => repaired.lines.filter((line) => pattern.test(line))
  assert.equal(saying(/was damaged, and is repaired: a block/).length, 6)
  assert.equal(saying(/was damaged, and is repaired: a disk/).length, 3)
  const [lost, ...more] = saying(/ is lost, /)
  assert.match(lost ?? '', new RegExp(`whole disk: needed by ${lonely}, ${alone} "alone"$`))
  assert.deepEqual(more, [])
  // A list that is lost does not say which blocks were its own: they stay as they are.
  assert.equal(saying(/^sha256:\w+ is damaged/).length, 3)

  await server.start()
  const ebs = new EBSClient(server.settings)
  context.after(() => ebs.destroy())
  const read = async (SnapshotId: string) => {
    const { Blocks = [] } = await ebs.send(new ListSnapshotBlocksCommand({ SnapshotId }))
    for (const { BlockIndex, BlockToken } of Blocks) {
      const wanted = new GetSnapshotBlockCommand({ SnapshotId, BlockIndex, BlockToken })
      await (await ebs.send(wanted)).BlockData?.transformToByteArray()
    }
    return Blocks.length
  }
  assert.equal(await read(await snapshotOf(server, stored)), 2)
  assert.equal(await read(await snapshotOf(server, based)), 2)
  assert.equal(await read(taken), 2)
  await assert.rejects(read(lonely), { name: 'InternalServerException' })

  // While a list is damaged nothing can be freed, which is said.
  await server.imago('POST', '/imago/v1/garbage-collections')
  await server.until('the collection', async () => {
    const { problem } = await server.imago('GET', '/imago/v1/garbage-collections')
    return /manifest .* is damaged/.test(String(problem))
  })

  // Who lets go of what is lost is well again.
  await server.ec2.send(new DeregisterImageCommand({ ImageId: alone }))
  await server.ec2.send(new DeleteSnapshotCommand({ SnapshotId: lonely }))
  await server.close()
  assert.equal((await repair(server)).code, 0)
  assert.equal((await readdir(join(blocks, 'manifests'))).length, 3)
})
