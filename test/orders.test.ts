/**
 * Several callers at once do to a few machines, disks and images whatever comes
 * to their minds, while the service is killed now and then. Every order of their
 * calls has to end in states that EC2 allows, and the checker finds nothing.
 *
 * `SEED=` repeats what is asked (the order of answers is the machine's), and
 * `ROUNDS=` says how often.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import {
  AttachVolumeCommand,
  DeleteSnapshotCommand,
  DeleteVolumeCommand,
  DeregisterImageCommand,
  DetachVolumeCommand,
  type EC2Client,
  EC2ServiceException,
  RebootInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import { BareWorld, ServerGone } from './bare-world.ts'
import { KillableServer } from './killable-server.ts'
import { chooseSeed, type Random, randomOf } from './random.ts'

const rounds = Number(process.env['ROUNDS'] ?? 6)
const callers = 4
const callsOfEach = 10
const instancesMax = 5

test('every order of calls ends in states that EC2 allows', async (context) => {
  const random = randomOf(chooseSeed())
  context.diagnostic(`SEED=${random.seed}`)
  const server = await KillableServer.make(context)
  const world = new BareWorld(server, { isConcurrent: true })
  await server.start()
  await world.prepare()
  for (let round = 0; round < rounds; round++) {
    const asked: string[] = []
    try {
      const willDie = round % 2 === 1
      if (willDie) server.dieAt({ nth: 1 + random.below(150) })
      await Promise.all(
        Array.from({ length: callers }, () => call(world, randomOf(random.below(2 ** 31)), asked)),
      )
      if (willDie) {
        await server.kill()
        assert(await server.start(), 'the service does not start')
      }
      await world.verify()
      if (round % 3 === 2) await world.clear()
    } catch (error) {
      const told = `SEED=${random.seed}, round ${round}: ${asked.join(', ')}`
      throw new Error(`${told}\n${await server.complaints()}`, { cause: error })
    }
  }
})

/** One caller, who takes a refusal for an answer, and stops when there is none. */
async function call(world: BareWorld, random: Random, asked: string[]): Promise<void> {
  for (let count = 0; count < callsOfEach; count++) {
    const [name, work] = random.pick(wishes)
    const at = asked.push(name) - 1
    try {
      await work(world, random)
    } catch (error) {
      if (error instanceof ServerGone) return
      if (error instanceof NothingThere) continue
      if (!(error instanceof EC2ServiceException)) throw error
      asked[at] = `${name} (${error.name})`
    }
    await wait(random.below(60))
  }
}

type Wish = (world: BareWorld, random: Random) => Promise<unknown>

const pick = (world: BareWorld, random: Random, kind: Parameters<BareWorld['ids']>[0]): string => {
  const ids = world.ids(kind)
  if (ids.length === 0) throw new NothingThere(kind)
  return random.pick(ids)
}

class NothingThere extends Error {}

const onInstance =
  (to: string, send: (ec2: EC2Client, ids: string[], random: Random) => Promise<unknown>): Wish =>
  async (world, random) => {
    const id = pick(world, random, 'i')
    await world.change([id], to, () => send(world.server.ec2, [id], random))
  }

const launch: Wish = async (world, random) => {
  if (world.ids('i').length >= instancesMax) return
  const images = [world.imageId, world.imageId, ...world.ids('ami')]
  await world.run(random.pick(images), 1 + random.below(2))
}

/** What there is to ask for; what should be asked for often stands there often. */
const wishes: readonly (readonly [string, Wish])[] = [
  ['run', launch],
  ['run', launch],
  [
    'stop',
    onInstance('stopped', (ec2, InstanceIds, random) =>
      ec2.send(new StopInstancesCommand({ InstanceIds, Force: random.below(2) === 0 })),
    ),
  ],
  [
    'start',
    onInstance('running', (ec2, InstanceIds) =>
      ec2.send(new StartInstancesCommand({ InstanceIds })),
    ),
  ],
  [
    'start',
    onInstance('running', (ec2, InstanceIds) =>
      ec2.send(new StartInstancesCommand({ InstanceIds })),
    ),
  ],
  [
    'reboot',
    async (world, random) => {
      const InstanceIds = [pick(world, random, 'i')]
      await world.send(world.server.ec2.send(new RebootInstancesCommand({ InstanceIds })))
    },
  ],
  [
    'terminate',
    onInstance('terminated', (ec2, InstanceIds) =>
      ec2.send(new TerminateInstancesCommand({ InstanceIds })),
    ),
  ],
  ['image', (world, random) => world.createImage(pick(world, random, 'i'), true)],
  ['image', (world, random) => world.createImage(pick(world, random, 'i'), true)],
  ['image with reboot', (world, random) => world.createImage(pick(world, random, 'i'), false)],
  [
    'deregister',
    async (world, random) => {
      const ImageId = pick(world, random, 'ami')
      const command = { ImageId, DeleteAssociatedSnapshots: random.below(2) === 0 }
      await world.change([ImageId], 'gone', () =>
        world.server.ec2.send(new DeregisterImageCommand(command)),
      )
    },
  ],
  [
    'snapshot of a root',
    async (world, random) => {
      const root = await world.rootOf(pick(world, random, 'i'))
      if (root) await world.createSnapshot(root)
    },
  ],
  ['snapshot', (world, random) => world.createSnapshot(pick(world, random, 'vol'))],
  [
    'delete a snapshot',
    async (world, random) => {
      const SnapshotId = pick(world, random, 'snap')
      await world.change([SnapshotId], 'gone', () =>
        world.server.ec2.send(new DeleteSnapshotCommand({ SnapshotId })),
      )
    },
  ],
  ['volume', (world) => world.createVolume()],
  ['volume of a snapshot', (world, random) => world.createVolume(pick(world, random, 'snap'))],
  [
    'attach',
    async (world, random) => {
      const VolumeId = pick(world, random, 'vol')
      const InstanceId = pick(world, random, 'i')
      const Device = `/dev/sd${random.pick(['f', 'g', 'h'])}`
      await world.change([VolumeId], 'in-use', () =>
        world.server.ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId, Device })),
      )
    },
  ],
  [
    'detach',
    async (world, random) => {
      const VolumeId = pick(world, random, 'vol')
      await world.change([VolumeId], 'available', () =>
        world.server.ec2.send(new DetachVolumeCommand({ VolumeId })),
      )
    },
  ],
  [
    'delete a volume',
    async (world, random) => {
      const VolumeId = pick(world, random, 'vol')
      await world.change([VolumeId], 'gone', () =>
        world.server.ec2.send(new DeleteVolumeCommand({ VolumeId })),
      )
    },
  ],
  ['collect garbage', (world) => world.collect()],
]
