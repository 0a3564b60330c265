/**
 * A volume is used before what it lies over is a file, whatever becomes of the service. To hold that moment for as long
 * as it takes, there is something in the place where the file would be made.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import {
  AttachVolumeCommand,
  DescribeImagesCommand,
  DescribeVolumeStatusCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import { chainOf } from '../src/qemu/layers.ts'
import { listMachineProcesses } from '../src/qemu/machine-process.ts'
import { BareWorld } from './bare-world.ts'
import { KillableServer } from './killable-server.ts'

const run = promisify(execFile)
const MiB = 2 ** 20

test('volumes are used before their base is whole, and the service may die meanwhile', async (context) => {
  const server = await KillableServer.make(context)
  const { dataFolder } = server
  const world = new BareWorld(server, { isConcurrent: false })
  await server.start()
  await world.prepare()
  const [machine = ''] = await world.run(world.imageId)
  await world.reaches(machine, 'running')
  const filesOfMachine = async () => {
    const machines = await listMachineProcesses(join(dataFolder, 'run'))
    return machines.find(({ name }) => name === machine)?.files ?? []
  }

  const manifests = join(dataFolder, 'blocks', 'manifests')
  const before = new Set(await readdir(manifests))
  const raw = join(dataFolder, 'data.raw')
  await writeFile(
    raw,
    Buffer.concat([randomBytes(20 * MiB), Buffer.alloc(4 * MiB), randomBytes(MiB)]),
  )
  const image = await world.import(raw, 'data')
  const { Images } = await server.ec2.send(new DescribeImagesCommand({ ImageIds: [image] }))
  const snapshot = Images?.[0]?.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId ?? ''
  const [manifest = ''] = (await readdir(manifests)).filter((name) => !before.has(name))
  const base = join(dataFolder, 'bases', `${manifest}.raw`)
  const obstacle = join(`${base}.tmp`, 'in the way')
  await mkdir(obstacle, { recursive: true })

  // As a disk of a machine that runs, and as one that no machine has.
  const attached = await world.createVolume(snapshot)
  const free = await world.createVolume(snapshot)
  for (const id of [attached, free]) await world.reaches(id, 'available')
  const path = join(dataFolder, 'volumes', attached)
  assert.equal((await chainOf(path, 1)).basePath, base)
  await world.change([attached], 'in-use', () =>
    server.ec2.send(
      new AttachVolumeCommand({ VolumeId: attached, InstanceId: machine, Device: '/dev/sdf' }),
    ),
  )
  await world.attached(attached)
  const status = async (VolumeId: string) => {
    const { VolumeStatuses } = await server.ec2.send(
      new DescribeVolumeStatusCommand({ VolumeIds: [VolumeId] }),
    )
    const { VolumeStatus, InitializationStatusDetails } = VolumeStatuses?.[0] ?? {}
    return [VolumeStatus?.Status, InitializationStatusDetails?.Progress]
  }
  assert.deepEqual(await status(attached), ['ok', 0])

  // A client as QEMU is one reads all of it, while the service is killed and started again.
  const node = {
    driver: 'nbd',
    server: { type: 'unix', path: join(dataFolder, 'served', 'bases.sock') },
    export: `${manifest}.raw`,
    'reconnect-delay': 60,
  }
  const copy = join(dataFolder, 'copy.raw')
  const options = ['-n', '-r', `${10 * MiB}`, '-f', 'raw', '-O', 'raw']
  await run('truncate', ['--size', String(25 * MiB), copy])
  const reading = run('qemu-img', [
    'convert',
    ...options,
    `json:${JSON.stringify({ driver: 'raw', file: node })}`,
    copy,
  ])
  await world.until('the first bytes', async () => {
    const { stdout } = await run('du', ['--block-size=1', copy])
    return Number(stdout.split('\t')[0]) > 0
  })
  await server.kill()
  await server.start()
  await reading
  await run('cmp', [raw, copy])

  // What reads the whole of a disk waits: a snapshot under way, and growing one that no machine has.
  const taken = await world.createSnapshot(attached)
  await world.grow(free, 2)
  await world.grow(attached, 2)
  await world.until('the change', () => world.isChanged(attached))
  assert.equal(await world.isChanged(free), false)
  assert(!(await filesOfMachine()).includes(base))

  await server.kill()
  await rm(`${base}.tmp`, { recursive: true })
  // The machine goes over to the file, whenever the service dies about that.
  for (const when of [
    'before rename base',
    'before qmp blockdev-reopen',
    'after qmp blockdev-reopen',
  ]) {
    await server.start({ death: { name: when, nth: 1 } })
    await server.died()
  }
  await server.start()
  await world.until('the file', async () => (await filesOfMachine()).includes(base))
  await world.reaches(taken, 'completed')
  await world.until('the change', () => world.isChanged(free))
  assert.deepEqual(await status(attached), ['ok', 100])
  const { stdout } = await run('qemu-img', [
    'compare',
    '-U',
    '-f',
    'raw',
    '-F',
    'qcow2',
    raw,
    join(path, '1.qcow2'),
  ]).catch((error: { stdout: string }) => error)
  // It is larger by now, and reads as zeros there.
  assert.match(stdout, /Images are identical/)
  await world.verify()

  await world.change([machine], 'terminated', () =>
    server.ec2.send(new TerminateInstancesCommand({ InstanceIds: [machine] })),
  )
  await world.reaches(machine, 'terminated')
})
