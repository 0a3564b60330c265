/**
 * Random histories of what befalls snapshots, beside a model that knows nothing but
 * the rules: a locked snapshot is never gone, a completed one reads back for ever,
 * also from the Recycle Bin and the archive, and after a collection nothing is left
 * that nothing names. A failure prints its seed and the shortest history.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import type {
  CopySnapshotResult,
  DescribeSnapshotsResult,
  ListSnapshotsInRecycleBinResult,
} from '@aws-sdk/client-ec2'
import fc from 'fast-check'
import { databases } from '../../test/databases.ts'
import { lastFirst } from '../../test/last-first.ts'
import { snapshotRow } from '../../test/rows.ts'
import { blocksOf } from '../block-store/manifest.ts'
import { SimDisk } from '../block-store/sim-disk.ts'
import { clock, digestNumber, openStore, saveNumbers } from '../block-store/testing.ts'
import { type Connections, transaction } from '../db/database.ts'
import { callerIn } from '../iam/testing.ts'
import type { Digest } from '../lib/digest.ts'
import { ApiError } from '../lib/errors.ts'
import { formatId, type Id, type Kind } from '../lib/ids.ts'
import type { RetentionRule } from '../recycle-bin/rule.ts'
import { insertRule } from '../recycle-bin/store.ts'
import type { Reconciler } from '../reconcile/loop.ts'
import { snapshotCopyReconciler } from '../snapshot-copies/reconcile.ts'
import { modifySnapshotTier } from '../snapshot-tiers/operations/modify-snapshot-tier.ts'
import { restoreSnapshotTier } from '../snapshot-tiers/operations/restore-snapshot-tier.ts'
import { snapshotTierReconciler } from '../snapshot-tiers/reconcile.ts'
import type { Operation } from '../wire/operation.ts'
import { listLiveManifests } from './live-manifests.ts'
import { copySnapshot } from './operations/copy-snapshot.ts'
import { deleteSnapshot } from './operations/delete-snapshot.ts'
import { describeSnapshots } from './operations/describe-snapshots.ts'
import { listSnapshotsInRecycleBin } from './operations/list-snapshots-in-recycle-bin.ts'
import { lockSnapshot } from './operations/lock-snapshot.ts'
import { restoreSnapshotFromRecycleBin } from './operations/restore-snapshot-from-recycle-bin.ts'
import { unlockSnapshot } from './operations/unlock-snapshot.ts'
import { snapshotReconciler } from './reconcile.ts'
import { insertSnapshot } from './store.ts'

const owner = { accountId: '111111111111', region: 'us-east-1' }
const hourMs = 60 * 60 * 1000
const dayMs = 24 * hourMs

/** Which of the snapshots: often one of the newest. */
const which = fc.oneof({ weight: 2, arbitrary: fc.nat(2) }, fc.nat(100))
const days = fc.integer({ min: 1, max: 4 })
const stepOf = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('take' as const),
      blocks: fc.array(fc.nat(6), { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('copy' as const), which }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('lock' as const),
      which,
      days,
      mode: fc.constantFrom('governance' as const, 'compliance' as const),
      coolOffHours: fc.option(fc.integer({ min: 1, max: 48 }), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unlock' as const), which }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('delete' as const), which }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('bring back' as const), which }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('archive' as const), which }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('restore' as const),
      which,
      days: fc.option(days, { nil: undefined }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('rule' as const),
      days: fc.option(days, { nil: undefined }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      hours: fc.integer({ min: 1, max: 100 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('collect' as const) }) },
)
type Step = typeof stepOf extends fc.Arbitrary<infer T> ? T : never

interface ModelLock {
  readonly mode: 'governance' | 'compliance'
  readonly coolEndMs: number
  readonly endMs: number
}

/** What the rules are about, and no more. */
interface Model {
  readonly id: string
  readonly blocks: readonly number[]
  where: 'here' | 'bin' | 'gone'
  exitMs: number
  lock: ModelLock | undefined
  isArchived: boolean
  /** Until when it is restored, where it is for some days. */
  restoredMs: number | undefined
}

async function startWorld(connections: Connections) {
  const { writes, reads } = connections
  for (const table of ['snapshot_locks', 'snapshots', 'retention_rules', 'tags'] as const) {
    await writes.deleteFrom(table).execute()
  }
  let ms = 1_800_000_000_000
  const now = () => new Date(ms)
  const storeClock = clock()
  const store = await openStore(new SimDisk(storeClock), storeClock)
  const newId = <K extends Kind>(kind: K): Id<K> => formatId(kind, randomBytes(9))
  const caller = callerIn(owner.accountId)
  const regions = [owner.region]
  const call = async (operation: Operation, input: object) => {
    // None of these calls looks at anything beside the database.
    const readers = {} as never
    const shared = {
      input,
      caller,
      region: owner.region,
      regions,
      requestId: '',
      now: now(),
      readers,
    }
    if (operation.kind === 'read') return await operation.run({ ...shared, db: reads })
    return await transaction(writes, (tx) => operation.run({ ...shared, tx, newId, randomBytes }))
  }
  const openDiskKey = async () => assert.fail('nothing is encrypted')
  const reconcilers: readonly Reconciler<Id<'snapshot'>>[] = [
    snapshotReconciler({
      db: connections,
      blockStore: store,
      bases: { isWhole: async () => true },
      volumeFolder: () => '/nowhere',
      openDiskKey,
      now,
    }),
    snapshotCopyReconciler({ db: connections, now, blockStore: store, openDiskKey }),
    snapshotTierReconciler({ db: connections, now }),
  ]
  const snapshots: Model[] = []
  const manifests = new Map<string, Digest>()
  return {
    store,
    snapshots,
    manifests,
    call,
    nowMs: () => ms,
    listLive: () => listLiveManifests(writes),
    async settle() {
      for (const reconciler of reconcilers) {
        for (const id of await reconciler.due()) await reconciler.step(id)
      }
    },
    async pass(forMs: number) {
      ms += forMs
      await this.settle()
      for (const one of snapshots) {
        if (one.where === 'bin' && one.exitMs <= ms) one.where = 'gone'
        if (one.restoredMs === undefined || one.restoredMs > ms) continue
        Object.assign(one, { isArchived: true, restoredMs: undefined })
      }
    },
    async take(blocks: readonly number[]) {
      const manifest = await saveNumbers(store, blocks)
      const at = { startedAt: now(), completedAt: now() }
      const row = snapshotRow(owner, { id: newId('snapshot'), manifest, ...at })
      await transaction(writes, (tx) => insertSnapshot(tx, row))
      this.add(row.id, blocks, manifest)
    },
    add(id: string, blocks: readonly number[], manifest: Digest) {
      manifests.set(id, manifest)
      const fresh = { where: 'here', exitMs: 0, lock: undefined, isArchived: false } as const
      snapshots.push({ id, blocks, ...fresh, restoredMs: undefined })
    },
    async rule(retentionDays: number | undefined) {
      await writes.deleteFrom('retention_rules').execute()
      if (retentionDays === undefined) return 0
      const rule: RetentionRule = {
        id: 'abcdefghijk',
        ...owner,
        resourceType: 'EBS_SNAPSHOT',
        retentionDays,
        description: '',
        resourceTags: [],
        excludeResourceTags: [],
        createdAt: now(),
        lock: undefined,
        revision: 0,
      }
      await transaction(writes, (tx) => insertRule(tx, rule))
      return retentionDays
    },
  }
}

type World = Awaited<ReturnType<typeof startWorld>> & { retentionDays?: number }

/** Whether the call was taken. A refusal has to be one: whatever else is thrown is a bug. */
async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return false
  }
}

async function run(world: World, step: Step): Promise<void> {
  const { snapshots, call } = world
  // No two calls come at the same instant.
  await world.pass(1000)
  if (step.do === 'take') return await world.take(step.blocks)
  if (step.do === 'wait') return await world.pass(step.hours * hourMs)
  if (step.do === 'collect') return await collect(world)
  if (step.do === 'rule') return void (world.retentionDays = await world.rule(step.days))
  const one = snapshots.at(-1 - (step.which % Math.max(1, snapshots.length)))
  if (!one) return
  const nowMs = world.nowMs()
  const SnapshotId = one.id
  const isHere = one.where === 'here'
  const lock = one.lock && one.lock.endMs > nowMs ? one.lock : undefined
  const isFinal = lock?.mode === 'compliance' && lock.coolEndMs <= nowMs
  switch (step.do) {
    case 'copy': {
      let made: CopySnapshotResult = {}
      const isDone = await attempt(async () => {
        const input = { SourceRegion: owner.region, SourceSnapshotId: SnapshotId }
        made = (await call(copySnapshot, input)) as CopySnapshotResult
      })
      assert.equal(isDone, isHere && !one.isArchived)
      const manifest = world.manifests.get(one.id)
      if (!isDone || !manifest) return
      await world.settle()
      return world.add(made.SnapshotId ?? '', one.blocks, manifest)
    }
    case 'lock': {
      const { mode, coolOffHours, days: LockDuration } = step
      const input = { SnapshotId, LockMode: mode, CoolOffPeriod: coolOffHours, LockDuration }
      const isDone = await attempt(() => call(lockSnapshot, input))
      const endMs = nowMs + LockDuration * dayMs
      const isSense = mode === 'compliance' || coolOffHours === undefined
      const isLonger =
        mode === 'compliance' && coolOffHours === undefined && endMs >= (lock?.endMs ?? 0)
      assert.equal(isDone, isHere && isSense && (!isFinal || isLonger))
      if (isDone) one.lock = { mode, coolEndMs: nowMs + (coolOffHours ?? 0) * hourMs, endMs }
      return
    }
    case 'unlock': {
      const isDone = await attempt(() => call(unlockSnapshot, { SnapshotId }))
      assert.equal(isDone, isHere && lock !== undefined && !isFinal)
      if (isDone) one.lock = undefined
      return
    }
    case 'delete': {
      const isDone = await attempt(() => call(deleteSnapshot, { SnapshotId }))
      assert.equal(isDone, isHere && !lock)
      if (!isDone) return
      const kept = world.retentionDays ?? 0
      Object.assign(one, { lock: undefined, where: kept > 0 ? 'bin' : 'gone' })
      one.exitMs = nowMs + kept * dayMs
      return
    }
    case 'bring back': {
      const isDone = await attempt(() => call(restoreSnapshotFromRecycleBin, { SnapshotId }))
      assert.equal(isDone, one.where === 'bin')
      if (isDone) one.where = 'here'
      return
    }
    case 'archive': {
      const isDone = await attempt(() => call(modifySnapshotTier, { SnapshotId }))
      assert.equal(isDone, isHere && !one.isArchived && one.restoredMs === undefined)
      if (isDone) one.isArchived = true
      return await world.settle()
    }
    case 'restore': {
      const isForGood = step.days === undefined
      const input = { SnapshotId, TemporaryRestoreDays: step.days, PermanentRestore: isForGood }
      const isDone = await attempt(() => call(restoreSnapshotTier, input))
      assert.equal(isDone, isHere && (one.isArchived || one.restoredMs !== undefined))
      if (!isDone) return
      one.isArchived = false
      one.restoredMs = step.days === undefined ? undefined : nowMs + step.days * dayMs
      return await world.settle()
    }
  }
}

/** Each is where the rules say, and what is locked is there. */
async function check({ snapshots, call, nowMs }: World): Promise<void> {
  const { Snapshots: shown = [] } = (await call(describeSnapshots, {})) as DescribeSnapshotsResult
  const { Snapshots: binned = [] } = (await call(
    listSnapshotsInRecycleBin,
    {},
  )) as ListSnapshotsInRecycleBinResult
  const idsOf = (where: Model['where']) =>
    snapshots.flatMap((one) => (one.where === where ? [one.id] : [])).toSorted()
  assert.deepEqual(
    shown.map(({ SnapshotId }) => SnapshotId),
    idsOf('here'),
  )
  assert.deepEqual(
    binned.map(({ SnapshotId }) => SnapshotId),
    idsOf('bin'),
  )
  for (const { SnapshotId, StorageTier } of shown) {
    const one = snapshots.find(({ id }) => id === SnapshotId)
    assert.equal(StorageTier, one?.isArchived ? 'archive' : 'standard')
  }
  for (const { lock, where } of snapshots) {
    if (lock && lock.endMs > nowMs()) assert.equal(where, 'here')
  }
}

/** Frees what nothing names, and nothing else: what is left is exactly what is there to be read. */
async function collect({ store, snapshots, manifests, listLive }: World): Promise<void> {
  await store.collectGarbage({ live: listLive })
  const kept = snapshots.filter(({ where }) => where !== 'gone')
  const named = new Set<string>()
  for (const { id, blocks } of kept) {
    const digest = manifests.get(id)
    assert(digest)
    const stored = new Map(blocksOf(await store.readManifest(digest)))
    for (const [at, number] of blocks.entries()) {
      assert.equal(stored.get(at), number === 0 ? undefined : digestNumber(number))
      if (number === 0) continue
      assert.deepEqual((await store.readBlock(digestNumber(number)))[0], number)
      named.add(digestNumber(number))
    }
  }
  const { blocks, manifests: files } = store.usage()
  const live = new Set(kept.map(({ id }) => manifests.get(id)))
  assert.deepEqual({ blocks, files }, { blocks: named.size, files: live.size })
}

const runs = { sqlite: 60, postgres: 4 } as const

for (const name of ['sqlite', 'postgres'] as const) {
  test(`what is locked stays, what is whole reads back, what nobody names goes (${name})`, async () => {
    const opened = lastFirst()
    after(opened.end)
    const db = await databases[name](opened)
    await fc.assert(
      fc.asyncProperty(fc.array(stepOf, { minLength: 10, maxLength: 50 }), async (steps) => {
        const world: World = await startWorld(db)
        for (const step of steps) {
          await run(world, step)
          await check(world)
        }
        await collect(world)
      }),
      { numRuns: runs[name], interruptAfterTimeLimit: 8000, markInterruptAsFailure: false },
    )
  })
}
