/**
 * The service is killed at a point of a story that does everything, or while it
 * picks itself up, and is started again: then what was answered is there, what
 * was half done is finished, machines have run on, and the checker finds nothing.
 *
 * `SEED=` repeats a run; `CRASHES=` says how many, `POINT='after commit:7'` which.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  AttachVolumeCommand,
  DeleteVolumeCommand,
  DeregisterImageCommand,
  DetachVolumeCommand,
  RebootInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import { BareWorld, ServerGone } from './bare-world.ts'
import { KillableServer } from './killable-server.ts'
import { chooseSeed, type Random, randomOf } from './random.ts'
import type { Death } from './server-child.ts'

const crashes = Number(process.env['CRASHES'] ?? 6)

test('a service that is killed anywhere goes on where it was', async (context) => {
  const random = randomOf(chooseSeed())
  context.diagnostic(`SEED=${random.seed}`)
  const server = await KillableServer.make(context)
  const world = new BareWorld(server, { isConcurrent: false })
  await server.start()
  await world.prepare()
  await server.countPoints()
  await both(world)
  await world.verify()
  const points = await server.countPoints()
  await world.clear()

  for (const death of chooseDeaths(points, random)) {
    const name = `${death.name}:${death.nth}`
    try {
      // The network of machines that are gone goes with it, and is made anew.
      await server.close()
      await server.start()
      const isEncrypted = random.below(2) === 0
      await world.encrypts(isEncrypted)
      server.dieAt(death)
      await both(world)
      const notes = [isEncrypted ? 'encrypted' : '', server.isUp ? 'was not reached' : '']
      context.diagnostic([name, ...notes].filter((note) => note !== '').join(' '))
      await server.kill()
      // Now and then it dies while it picks itself up, too.
      if (random.below(3) === 0) {
        await server.start({ death: { nth: 1 + random.below(20) } })
        await server.kill()
      }
      assert(await server.start(), 'the service does not start')
      await world.verify()
      await world.clear()
      await world.verify()
    } catch (error) {
      throw new Error(`killed at ${name}\n${await server.complaints()}`, { cause: error })
    }
  }
})

/** Both stories at once, as far as the service lives. */
async function both(world: BareWorld): Promise<void> {
  for (const told of await Promise.allSettled([lifeOfOne(world), lifeOfSeveral(world)])) {
    if (told.status === 'rejected' && !(told.reason instanceof ServerGone)) throw told.reason
  }
}

/** One machine from its launch to its end, with all that can be done to its disks. */
async function lifeOfOne(world: BareWorld): Promise<void> {
  const { ec2 } = world.server
  const [id = ''] = await world.run(world.imageId)
  await world.reaches(id, 'running')
  const volume = await world.createVolume()
  await world.reaches(volume, 'available')
  const attach = { InstanceId: id, VolumeId: volume, Device: '/dev/sdf' }
  await world.change([volume], 'in-use', () => ec2.send(new AttachVolumeCommand(attach)))
  await world.attached(volume)
  const running = await world.createImage(id, true)
  const root = await world.rootOf(id)
  await world.send(ec2.send(new RebootInstancesCommand({ InstanceIds: [id] })))
  await world.grow(root, 2)
  await world.grow(volume, 2)
  for (let count = 0; count < 6; count++) {
    await world.reaches(await world.createSnapshot(root), 'completed')
  }
  await world.reaches(running, 'available')
  const rebooted = await world.createImage(id, false)
  await world.reaches(rebooted, 'available')

  const copied = await world.copyVolume(root)

  const InstanceIds = [id]
  const stop = { InstanceIds, Force: true }
  await world.change([id], 'stopped', () => ec2.send(new StopInstancesCommand(stop)))
  await world.reaches(id, 'stopped')
  await world.change([volume], 'available', () =>
    ec2.send(new DetachVolumeCommand({ VolumeId: volume })),
  )
  await world.reaches(volume, 'available')
  await world.until('the change', () => world.isChanged(volume))
  await world.grow(volume, 3)
  await world.until('the change', () => world.isChanged(volume))
  const snapshot = await world.createSnapshot(volume)
  const copies = [copied, await world.copyVolume(volume)]
  await world.change([volume], 'gone', () =>
    ec2.send(new DeleteVolumeCommand({ VolumeId: volume })),
  )
  const stopped = await world.createImage(id, false)
  await world.reaches(stopped, 'available')
  await world.reaches(snapshot, 'completed')
  for (const one of copies) {
    await world.reaches(one, 'available')
    await world.change([one], 'gone', () => ec2.send(new DeleteVolumeCommand({ VolumeId: one })))
  }
  await world.change([id], 'running', () => ec2.send(new StartInstancesCommand({ InstanceIds })))
  await world.reaches(id, 'running')

  await world.replaceRoot(id)

  const [copy = ''] = await world.run(stopped)
  await world.collect()
  await world.reaches(copy, 'running')
  await world.change([id, copy], 'terminated', () =>
    ec2.send(new TerminateInstancesCommand({ InstanceIds: [id, copy] })),
  )
  for (const ImageId of [running, rebooted, stopped]) {
    await world.change([ImageId], 'gone', () =>
      ec2.send(new DeregisterImageCommand({ ImageId, DeleteAssociatedSnapshots: true })),
    )
  }
  await world.collect()
}

/** A disk that comes in, machines of it that come and go. */
async function lifeOfSeveral(world: BareWorld): Promise<void> {
  const { ec2, dataFolder } = world.server
  const image = await world.import(join(dataFolder, 'bare.raw'), `import-${performance.now()}`)
  world.known.set(image, { allowed: new Set(['available']) })
  const ids = await world.run(image, 3)
  const [first = '', second = ''] = ids
  await world.change([first], 'terminated', () =>
    ec2.send(new TerminateInstancesCommand({ InstanceIds: [first] })),
  )
  await world.reaches(second, 'running')
  await world.createImage(second, true)
  await world.change([second], 'terminated', () =>
    ec2.send(new TerminateInstancesCommand({ InstanceIds: [second] })),
  )
  await world.reaches(second, 'terminated')
}

/** Points of as many names as there may be crashes, one of each. */
function chooseDeaths(points: ReadonlyMap<string, number>, random: Random): readonly Death[] {
  const [, given, nth] = /^(.+):(\d+)$/.exec(process.env['POINT'] ?? '') ?? []
  if (given !== undefined)
    return Array.from({ length: 3 }, () => ({ name: given, nth: Number(nth) }))
  const names = [...points.keys()]
  return Array.from({ length: crashes }, (): Death => {
    if (names.length === 0) names.push(...points.keys())
    const [name = ''] = names.splice(random.below(names.length), 1)
    return { name, nth: 1 + random.below(points.get(name) ?? 1) }
  })
}
