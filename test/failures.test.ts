/** What people see when something breaks: one clear reason, nothing else lost, and a way on. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import {
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { randomBytes } from 'node:crypto'
import {
  AttachVolumeCommand,
  CreateImageCommand,
  CreateSnapshotCommand,
  CreateVolumeCommand,
  DeleteVolumeCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeSnapshotsCommand,
  DescribeVolumeStatusCommand,
  DetachVolumeCommand,
  RegisterImageCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import { findDaemon } from '../src/vpc/daemon.ts'
import { writeBareDisk } from './bare-disk.ts'
import { BareWorld } from './bare-world.ts'
import { KillableServer } from './killable-server.ts'
import { callerOf } from './kms-sdk.ts'

const run = promisify(execFile)
const isRoot = process.getuid?.() === 0
const MiB = 2 ** 20

async function start(context: TestContext, given?: KillableServer) {
  const server = given ?? (await KillableServer.make(context))
  const world = new BareWorld(server, { isConcurrent: false })
  await server.start()
  await world.prepare()
  return { server, world }
}

async function describe({ ec2 }: KillableServer, id: string) {
  const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }))
  const found = Reservations?.[0]?.Instances?.[0]
  assert(found)
  return found
}

/** A server of which one folder, or the whole, is a file system of its own, of few bytes. */
async function makeOnSmall(context: TestContext, name: string, sizeMiB: number) {
  const dataFolder = await mkdtemp(join(tmpdir(), 'imago-full-'))
  const server = await KillableServer.make(context, dataFolder)
  const folder = join(dataFolder, name)
  await mkdir(folder, { recursive: true })
  await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m`, 'tmpfs', folder])
  context.after(async () => {
    await run('umount', ['--lazy', folder])
    await rm(dataFolder, { recursive: true })
  })
  return { server, folder }
}

/** Leaves so many bytes free on the disk, until it is removed. */
async function fill(folder: string, leftBytes: number): Promise<string> {
  const path = join(folder, 'filler')
  const { stdout } = await run('df', ['--output=avail', '-B1', folder])
  const free = Number(stdout.split('\n')[1])
  await writeFile(path, Buffer.alloc(Math.max(0, free - leftBytes))).catch((error: unknown) => {
    if (leftBytes > 0 || (error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  })
  return path
}

async function allProcesses(server: KillableServer): Promise<number[]> {
  const folder = join(server.dataFolder, 'run')
  const vpcs = (await readdir(folder)).filter((name) => name.startsWith('vpc-'))
  const daemons = vpcs.flatMap((name) => daemonsOf(join(folder, name)))
  return [...(await server.machines()).values(), ...daemons]
}

function daemonsOf(folder: string): number[] {
  return ['holder', 'dnsmasq', 'slirp4netns']
    .map((name) => findDaemon({ folder, name }))
    .filter((pid) => pid !== undefined)
}

test('an instance whose machine dies is stopped, says why, and starts again', async (context) => {
  const { server, world } = await start(context)
  const [id = ''] = await world.run(world.imageId)
  await world.reaches(id, 'running')
  const pid = (await server.machines()).get(id)
  assert(pid)
  const before = await describe(server, id)
  process.kill(pid, 'SIGKILL')
  await world.reaches(id, 'stopped')
  const { StateReason, PublicIpAddress, PrivateIpAddress } = await describe(server, id)
  assert.equal(StateReason?.Code, 'Server.InternalError')
  assert.match(StateReason?.Message ?? '', /machine ended unexpectedly/)
  // Its public address was lent to it, as EC2 lends one.
  assert.equal(PublicIpAddress, undefined)
  assert.equal(PrivateIpAddress, before.PrivateIpAddress)
  await server.ec2.send(new StartInstancesCommand({ InstanceIds: [id] }))
  await world.reaches(id, 'running')
  assert.match((await describe(server, id)).PublicIpAddress ?? '', /^127\./)
  assert.deepEqual(await server.check(), [])
})

test('a guest that was shut down for its image starts again, whatever comes in between', async (context) => {
  const { server, world } = await start(context)
  const kms = callerOf(context, server.settings)
  const { KeyId } = (await kms('CreateKey')).KeyMetadata ?? {}
  const [InstanceId = '', other = ''] = await world.run(world.imageId, 2)
  const shape = { AvailabilityZone: 'us-east-1a', Size: 1, Encrypted: true, KmsKeyId: KeyId }
  const { VolumeId = '' } = await server.ec2.send(new CreateVolumeCommand(shape))
  for (const id of [InstanceId, other]) await world.reaches(id, 'running')
  await world.reaches(VolumeId, 'available')
  const attachment = { VolumeId, InstanceId, Device: '/dev/sdf' }
  await server.ec2.send(new AttachVolumeCommand(attachment))
  await world.attached(VolumeId)
  await server.countPoints()
  const startsAgain = async (id: string) => {
    await world.until('its start', async () => (await server.countPoints()).has('after qmp cont'))
    assert.equal((await describe(server, id)).State?.Name, 'running')
  }

  await kms('DisableKey', { KeyId })
  await world.reaches(await world.createImage(InstanceId, false), 'failed')
  await startsAgain(InstanceId)

  server.dieAt({ name: 'before qmp system_reset', nth: 1 })
  const baked = await world.createImage(other, false)
  await server.died()
  await server.start()
  await world.reaches(baked, 'available')
  await startsAgain(other)
  assert.deepEqual(await server.check(), [])
})

test('after the host was switched off, instances are stopped, and start again', async (context) => {
  const { server, world } = await start(context)
  const ids = await world.run(world.imageId, 2)
  for (const id of ids) await world.reaches(id, 'running')
  const image = await world.createImage(ids[0] ?? '', true)
  await server.kill()
  for (const pid of await allProcesses(server)) process.kill(pid, 'SIGKILL')
  await server.start()
  for (const id of ids) {
    await world.reaches(id, 'stopped')
    assert.equal((await describe(server, id)).StateReason?.Code, 'Server.InternalError')
  }
  await world.reaches(image, 'available')
  await server.ec2.send(new StartInstancesCommand({ InstanceIds: [...ids] }))
  for (const id of ids) await world.reaches(id, 'running')
  assert.deepEqual(await server.check(), [])
})

test('what carries a network comes back when it dies, around the machines in it', async (context) => {
  const { server, world } = await start(context)
  const [first = ''] = await world.run(world.imageId)
  await world.reaches(first, 'running')
  const folder = join(server.dataFolder, 'run')
  const vpc = join(folder, (await readdir(folder)).find((name) => name.startsWith('vpc-')) ?? '')
  for (const pid of daemonsOf(vpc)) process.kill(pid, 'SIGKILL')
  // The next launch needs the network; by itself it would be looked after soon.
  const [second = ''] = await world.run(world.imageId)
  await world.reaches(second, 'running')
  assert.equal(daemonsOf(vpc).length, 3)
  const namespaceOf = (pid: number) => readlink(`/proc/${pid}/ns/net`)
  const machines = await server.machines()
  const [holder = 0] = daemonsOf(vpc)
  assert.equal(await namespaceOf(machines.get(first) ?? 0), await namespaceOf(holder))
  assert.equal(await namespaceOf(machines.get(second) ?? 0), await namespaceOf(holder))
})

test('a guest that never boots runs, and can be ended', async (context) => {
  const { server, world } = await start(context)
  const volume = await world.createVolume()
  await world.reaches(volume, 'available')
  const snapshot = await world.createSnapshot(volume)
  await world.reaches(snapshot, 'completed')
  const { ImageId = '' } = await server.ec2.send(
    new RegisterImageCommand({
      Name: 'blank',
      Architecture: 'x86_64',
      VirtualizationType: 'hvm',
      EnaSupport: true,
      RootDeviceName: '/dev/xvda',
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: snapshot } }],
    }),
  )
  const [id = ''] = await world.run(ImageId)
  await world.reaches(id, 'running')
  await server.ec2.send(new StopInstancesCommand({ InstanceIds: [id], Force: true }))
  await world.reaches(id, 'stopped')
  await server.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }))
  await world.reaches(id, 'terminated')
})

test('a damaged block fails what needs it by its name, and nothing else', async (context) => {
  const { server, world } = await start(context)
  const packs = join(server.dataFolder, 'blocks', 'packs')
  const before = new Set(await readdir(packs))
  const path = join(server.dataFolder, 'other.raw')
  await writeBareDisk(path, 'another')
  const other = await world.import(path, 'other')
  const [pack = ''] = (await readdir(packs)).filter((name) => !before.has(name))
  await using file = await open(join(packs, pack), 'r+')
  const byte = Buffer.alloc(1)
  await file.read(byte, 0, 1, 20)
  byte.writeUInt8(byte.readUInt8() ^ 0xff)
  await file.write(byte, 0, 1, 20)

  // A guest that reads it gets an error, and who asks after its volume is told.
  const [damaged = ''] = await world.run(other)
  await world.reaches(damaged, 'running')
  const VolumeIds = [await world.rootOf(damaged)]
  const status = async () => {
    const answer = await server.ec2.send(new DescribeVolumeStatusCommand({ VolumeIds }))
    return answer.VolumeStatuses?.[0]?.VolumeStatus?.Status
  }
  await world.until('the status', async () => (await status()) === 'impaired')
  const log = await readFile(server.logFile, 'utf8')
  const unmade = /a base could not be made.*block (sha256:[0-9a-f]{64}) is damaged/s
  const digest = unmade.exec(log)?.[1]
  assert(digest, log)
  const SnapshotId = await world.createSnapshot(VolumeIds[0] ?? '')
  const snapshot = async () => {
    const command = new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] })
    return (await server.ec2.send(command)).Snapshots?.[0]
  }
  await world.until('the snapshot', async () => (await snapshot())?.State === 'error')
  assert((await snapshot())?.StateMessage?.includes(digest))
  const [found, ...others] = await server.check()
  assert(found)
  assert.equal(found.about, digest)
  assert.match(found.what, /is damaged/)
  assert.deepEqual(others, [])
  const [whole = ''] = await world.run(world.imageId)
  await world.reaches(whole, 'running')
})

test('a bake that finds no room fails with a reason, and works when there is some', async (context) => {
  if (!isRoot) return context.skip('mounting takes root')
  const { server, folder: blocks } = await makeOnSmall(context, 'blocks', 16)
  const { world } = await start(context, server)
  const [id = ''] = await world.run(world.imageId)
  await world.reaches(id, 'running')
  const first = await world.createImage(id, true)
  await world.reaches(first, 'available')
  await server.ec2.send(new StopInstancesCommand({ InstanceIds: [id], Force: true }))
  await world.reaches(id, 'stopped')
  // As if the guest had written 4 MiB.
  const volume = join(server.dataFolder, 'volumes', await world.rootOf(id))
  const [top = ''] = (await readdir(volume)).toSorted((a, b) => parseInt(b) - parseInt(a))
  const content = join(server.dataFolder, 'content')
  await writeFile(content, randomBytes(4 * MiB))
  await run('qemu-io', ['-f', 'qcow2', '-c', `write -s ${content} 8M 4M`, join(volume, top)])

  const filler = await fill(blocks, 2 * MiB)
  const bake = async (Name: string) => {
    const { ImageId = '' } = await server.ec2.send(new CreateImageCommand({ InstanceId: id, Name }))
    return ImageId
  }
  const failed = await bake('without room')
  await world.reaches(failed, 'failed')
  const { Images } = await server.ec2.send(new DescribeImagesCommand({ ImageIds: [failed] }))
  assert.match(Images?.[0]?.StateReason?.Message ?? '', /disk is full/)
  const SnapshotIds = [Images?.[0]?.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId ?? '']
  const { Snapshots } = await server.ec2.send(new DescribeSnapshotsCommand({ SnapshotIds }))
  assert.equal(Snapshots?.[0]?.State, 'error')
  assert.match(Snapshots?.[0]?.StateMessage ?? '', /disk is full/)
  assert.deepEqual(await server.check(), [])

  await rm(filler)
  await world.reaches(await bake('with room'), 'available')
  assert.deepEqual(await server.check(), [])
})

test('a guest waits while the disk of its volumes is full, and goes on', async (context) => {
  if (!isRoot) return context.skip('mounting takes root')
  const { server, folder: volumes } = await makeOnSmall(context, 'volumes', 8)
  const { world } = await start(context, server)
  const [id = ''] = await world.run(world.imageId)
  await world.reaches(id, 'running')
  const root = await world.rootOf(id)
  const usedBytes = async (layer: number) =>
    (await stat(join(volumes, root, `${layer}.qcow2`))).blocks * 512
  // Before it writes for the first time, layer 1 would need the room of the next layer.
  await world.until('the guest writes', async () => (await usedBytes(1)) > 200 * 1024)
  const filler = await fill(volumes, 100 * 1024)
  // What the guest writes from now on needs room, for which there is not enough.
  await server.ec2.send(new CreateSnapshotCommand({ VolumeId: root }))
  await world.until('the guest waits', async () =>
    (await readFile(server.logFile, 'utf8')).includes('a guest waits for room'),
  )
  assert.equal((await describe(server, id)).State?.Name, 'running')
  await rm(filler)
  await world.until('the guest writes', async () => (await usedBytes(2)) > 200 * 1024)
  await world.reaches(await world.createImage(id, true), 'available')
  await world.verify()
})

test('a volume that cannot be attached is available again, and another can be', async (context) => {
  const { server, world } = await start(context)
  const [InstanceId = ''] = await world.run(world.imageId)
  await world.reaches(InstanceId, 'running')
  const [broken, whole] = [await world.createVolume(), await world.createVolume()]
  for (const id of [broken, whole]) await world.reaches(id, 'available')
  const layer = join(server.dataFolder, 'volumes', broken, '1.qcow2')
  const content = await readFile(layer)
  await writeFile(layer, 'not a disk')
  const attach = (VolumeId: string, Device: string) =>
    server.ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId, Device }))
  await attach(broken, '/dev/sdf')
  await attach(whole, '/dev/sdg')
  await world.attached(whole)
  await world.reaches(broken, 'available')
  assert.match(await readFile(server.logFile, 'utf8'), /a volume cannot be attached/)
  await writeFile(layer, content)
  await attach(broken, '/dev/sdf')
  await world.attached(broken)
  assert.deepEqual(await server.check(), [])
})

test('a volume is taken from a guest by force, and another instance can have it', async (context) => {
  const { server, world } = await start(context)
  const [first = '', second = ''] = await world.run(world.imageId, 2)
  for (const id of [first, second]) await world.reaches(id, 'running')
  const VolumeId = await world.createVolume()
  await world.reaches(VolumeId, 'available')
  const attach = (InstanceId: string) =>
    server.ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId, Device: '/dev/sdf' }))
  await attach(first)
  await world.attached(VolumeId)
  // These guests know nothing of plugs.
  await server.ec2.send(new DetachVolumeCommand({ VolumeId }))
  await server.ec2.send(new DetachVolumeCommand({ VolumeId, Force: true }))
  await world.reaches(VolumeId, 'available')
  await attach(second)
  await world.attached(VolumeId)
  assert.equal((await describe(server, first)).State?.Name, 'running')
  await world.reaches(await world.createImage(first, true), 'available')
  assert.deepEqual(await server.check(), [])
})

test('a call that finds no room for its record says so, and nothing is lost', async (context) => {
  if (!isRoot) return context.skip('mounting takes root')
  const { server, folder } = await makeOnSmall(context, '.', 64)
  const { world } = await start(context, server)
  const [id = ''] = await world.run(world.imageId)
  await world.reaches(id, 'running')
  const volumes = []
  for (let count = 0; count < 10; count++) volumes.push(await world.createVolume())
  const reserve = join(folder, 'reserve')
  await world.until('room is kept', async () => existsSync(reserve))
  const filler = await fill(folder, 0)
  let refusal: Error | undefined
  const made: string[] = []
  for (let count = 0; count < 400 && !refusal; count++) {
    try {
      made.push(await world.createVolume())
    } catch (error) {
      refusal = error as Error
    }
  }
  assert.equal(refusal?.name, 'Unavailable', await readFile(server.logFile, 'utf8'))
  assert.match(refusal.message, /disk of the data folder is full/)
  // What makes room is recorded all the same.
  for (const VolumeId of volumes) await server.ec2.send(new DeleteVolumeCommand({ VolumeId }))
  assert(!existsSync(reserve))
  await rm(filler)
  await world.until('there is room', async () => {
    await world.createVolume().catch(() => undefined)
    return [...(await world.states()).keys()].length > made.length
  })
  // Those that could not be made in time may be in error; none is forgotten.
  const states = await world.states()
  for (const volume of made)
    assert.match(states.get(volume) ?? 'gone', /^(available|creating|error)$/)
  assert.equal(states.get(id), 'running')
})

test('a program of the host that is missing is named, with what to type', async (context) => {
  if (!isRoot) return context.skip('hiding a program takes root')
  const hide = 'mount --bind /dev/null /usr/sbin/dnsmasq && exec bin/imago serve'
  const failure = await run('unshare', ['--mount', 'sh', '-c', hide], { timeout: 20_000 }).then(
    () => undefined,
    (error: { code: number; stderr: string }) => error,
  )
  assert.equal(failure?.code, 1)
  assert.match(failure.stderr, /^imago: Install what is missing: .*dnsmasq-base\n$/)
})
