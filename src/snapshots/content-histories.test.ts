/**
 * What becomes of bytes in random histories: disks that are written and saved, snapshots that
 * are copied, shared, recycled, written block by block and made volumes, while garbage is
 * collected and the power goes at any moment. A completed snapshot reads back for ever;
 * no block goes that something names; and once the grace period is over, nothing else is left.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { StartSnapshotResponse } from '@aws-sdk/client-ebs'
import type { CopySnapshotResult, Volume } from '@aws-sdk/client-ec2'
import fc from 'fast-check'
import { accounts, ContentWorld, regions, withoutZeros } from '../../test/content-world.ts'
import { databases } from '../../test/databases.ts'
import { blockSizeBytes } from '../block-store/block.ts'
import { PowerCut } from '../block-store/sim-disk.ts'
import { blockNumber } from '../block-store/testing.ts'
import { completeDirectSnapshot } from '../ebs-direct/operations/complete-snapshot.ts'
import { putSnapshotBlock } from '../ebs-direct/operations/put-snapshot-block.ts'
import { startSnapshot } from '../ebs-direct/operations/start-snapshot.ts'
import { ApiError } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'
import { createVolume } from '../volumes/operations/create-volume.ts'
import { copySnapshot } from './operations/copy-snapshot.ts'
import { deleteSnapshot } from './operations/delete-snapshot.ts'
import { modifySnapshotAttribute } from './operations/modify-snapshot-attribute.ts'
import { restoreSnapshotFromRecycleBin } from './operations/restore-snapshot-from-recycle-bin.ts'

const hourMs = 60 * 60 * 1000

/** Which of the snapshots: often one of the newest. */
const which = fc.oneof({ weight: 2, arbitrary: fc.nat(2) }, fc.nat(100))
const index = fc.nat(5)
const number = fc.nat(7)
const stepOf = fc.oneof(
  fc.record({ do: fc.constant('write' as const), index, number }),
  { weight: 2, arbitrary: fc.record({ do: fc.constant('take' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('copy' as const), which, by: fc.nat(1), to: fc.nat(1) }),
  },
  fc.record({ do: fc.constant('share' as const), which }),
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), which }) },
  fc.record({ do: fc.constant('bring back' as const), which }),
  fc.record({ do: fc.constant('rule' as const), isKept: fc.boolean() }),
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('start' as const),
      which: fc.option(which, { nil: undefined }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('put' as const), which, index, number }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('complete' as const), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('volume' as const), which }) },
  fc.record({ do: fc.constant('drop volume' as const), which }),
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      hours: fc.oneof(fc.constant(2), fc.nat(30)),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('collect' as const) }) },
)
type Step = typeof stepOf extends fc.Arbitrary<infer T> ? T : never

/** What the call answered; nothing where it was refused. Whatever else is thrown is a bug. */
async function attempt<T>(work: () => Promise<unknown>): Promise<T | undefined> {
  try {
    return (await work()) as T
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return undefined
  }
}

async function play(world: ContentWorld, step: Step): Promise<void> {
  const { snapshots } = world
  await world.pass(step.do === 'wait' ? step.hours * hourMs : 1000)
  if (step.do === 'write') return void world.written.set(step.index, step.number)
  if (step.do === 'take') return await world.take()
  if (step.do === 'rule') return await world.setRule(step.isKept)
  if (step.do === 'collect') return await world.collect()
  if (step.do === 'wait') return
  if (step.do === 'drop volume') {
    const id = [...world.volumes.keys()].at(step.which % Math.max(1, world.volumes.size))
    return id && (await world.dropVolume(id))
  }
  const isDirect = step.do === 'put' || step.do === 'complete'
  const among = isDirect ? snapshots.filter(({ state }) => state === 'open') : snapshots
  const one =
    step.which === undefined ? undefined : among.at(-1 - (step.which % Math.max(1, among.length)))
  if (step.do === 'start') {
    const by = one ?? { accountId: accounts[0], region: regions[0] }
    const input = { VolumeSize: 1, Timeout: 600, ParentSnapshotId: one?.id }
    const made = await attempt<StartSnapshotResponse>(() => world.call(startSnapshot, input, by))
    assert.equal(made !== undefined, !one || one.state === 'whole')
    return made && world.add(made.SnapshotId ?? '', by, one?.blocks ?? new Map(), 'open')
  }
  if (!one) return
  const SnapshotId = one.id
  const isWhole = one.state === 'whole'
  switch (step.do) {
    case 'copy': {
      const by = { accountId: accounts[step.by] ?? '', region: regions[step.to] ?? '' }
      const input = { SourceRegion: one.region, SourceSnapshotId: SnapshotId }
      const made = await attempt<CopySnapshotResult>(() => world.call(copySnapshot, input, by))
      assert.equal(made !== undefined, isWhole && (one.isShared || by.accountId === one.accountId))
      return made && world.add(made.SnapshotId ?? '', by, one.blocks, 'sealing')
    }
    case 'share': {
      const input = { SnapshotId, OperationType: 'add', UserIds: [...accounts] }
      const done = await attempt(() => world.call(modifySnapshotAttribute, input, one))
      if (isWhole) assert(done)
      if (done) one.isShared = true
      return
    }
    case 'delete': {
      const done = await attempt(() => world.call(deleteSnapshot, { SnapshotId }, one))
      if (isWhole) assert(done)
      if (done) one.state = 'bin' // Until its row is seen to be gone, which is now where no rule keeps it.
      return await world.pass(0)
    }
    case 'bring back': {
      const input = { SnapshotId }
      const done = await attempt(() => world.call(restoreSnapshotFromRecycleBin, input, one))
      assert.equal(done !== undefined, one.state === 'bin')
      if (done) one.state = 'whole'
      return
    }
    case 'put': {
      const BlockData = new Uint8Array(blockNumber(step.number))
      const Checksum = createHash('sha256').update(BlockData).digest('base64')
      const block = { BlockData, DataLength: blockSizeBytes, Checksum, ChecksumAlgorithm: 'SHA256' }
      const input = { SnapshotId, BlockIndex: step.index, ...block }
      assert(await attempt(() => world.call(putSnapshotBlock, input, one)))
      one.put.set(step.index, step.number)
      return
    }
    case 'complete': {
      const input = { SnapshotId, ChangedBlocksCount: one.put.size }
      assert(await attempt(() => world.call(completeDirectSnapshot, input, one)))
      one.blocks = withoutZeros(new Map([...one.blocks, ...one.put]))
      one.state = 'sealing'
      return await world.pass(0)
    }
    case 'volume': {
      const input = { SnapshotId, AvailabilityZone: `${one.region}a` }
      const made = await attempt<Volume>(() => world.call(createVolume, input, one))
      assert.equal(made !== undefined, isWhole)
      if (made) await world.addVolume(made.VolumeId as Id<'volume'>, one.blocks)
    }
  }
}

for (const [name, numRuns] of [
  ['sqlite', 30],
  ['postgres', 3],
] as const) {
  test(`what is named is there whatever happens, and what is not is freed (${name})`, async (context) => {
    const db = await databases[name](context)
    const event = fc.record({
      step: stepOf,
      cut: fc.option(fc.nat(25), { nil: undefined, freq: 8 }),
    })
    const events = fc.array(event, { minLength: 10, maxLength: 50 })
    const luck = fc.infiniteStream(fc.boolean())
    await fc.assert(
      fc.asyncProperty(events, luck, async (history, survives) => {
        const world = await ContentWorld.begin(db)
        for (const { step, cut = Infinity } of history) {
          world.cutPowerAfter(cut)
          const isCut = await play(world, step).then(
            () => false,
            (error: unknown) => {
              if (error instanceof PowerCut) return true
              throw error
            },
          )
          world.cutPowerAfter(Infinity)
          if (cut === Infinity) continue
          // Cut off or not: it is opened again, and nothing was closed.
          await world.crash(() => isCut && (survives.next().value ?? false))
          await world.check()
        }
        await world.check()
        await world.checkNothingElse()
      }),
      { numRuns, interruptAfterTimeLimit: 5000, markInterruptAsFailure: false },
    )
  })
}
