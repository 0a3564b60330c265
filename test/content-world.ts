/**
 * The content of snapshots beside a model of it, for random histories: a block store on a disk
 * whose power can go, a database that keeps what it was told, and what must be in both.
 */
import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { blocksOf } from '../src/block-store/manifest.ts'
import { BlockIntake } from '../src/block-store/block-intake.ts'
import { BlockStore } from '../src/block-store/block-store.ts'
import { SimDisk } from '../src/block-store/sim-disk.ts'
import { blockNumber, digestNumber, findingsOf, saveNumbers } from '../src/block-store/testing.ts'
import { type Connections, transaction } from '../src/db/database.ts'
import { directSnapshotReconciler } from '../src/ebs-direct/reconcile.ts'
import { listAllDirectBlocks } from '../src/ebs-direct/store.ts'
import { callerIn } from '../src/iam/testing.ts'
import { formatId, type Id, type Kind } from '../src/lib/ids.ts'
import { insertRule } from '../src/recycle-bin/store.ts'
import { snapshotCopyReconciler } from '../src/snapshot-copies/reconcile.ts'
import { listLiveManifests } from '../src/snapshots/live-manifests.ts'
import { snapshotReconciler } from '../src/snapshots/reconcile.ts'
import { findSnapshot, insertSnapshot } from '../src/snapshots/store.ts'
import { changeVolumeState, deleteVolumeRow, findVolumeById } from '../src/volumes/store.ts'
import type { Operation } from '../src/wire/operation.ts'
import { snapshotRow } from './rows.ts'

export const regions = ['us-east-1', 'us-west-2'] as const
export const accounts = ['111111111111', '222222222222'] as const
const graceMs = 60 * 60 * 1000

export type Blocks = ReadonlyMap<number, number>

export interface Model {
  readonly id: Id<'snapshot'>
  readonly accountId: string
  readonly region: string
  blocks: Blocks
  /** `open` and `sealing` are written block by block; what it was given so far is `put`. */
  state: 'open' | 'sealing' | 'whole' | 'bin' | 'gone'
  readonly put: Map<number, number>
  isShared: boolean
}

export const withoutZeros = (blocks: Blocks) => new Map([...blocks].filter(([, one]) => one !== 0))

const tables = [
  'direct_blocks',
  'direct_snapshots',
  'snapshot_permissions',
  'snapshot_copies',
  'snapshots',
  'volumes',
  'retention_rules',
  'tags',
] as const

export class ContentWorld {
  readonly #db: Connections
  readonly snapshots: Model[] = []
  readonly volumes = new Map<Id<'volume'>, Blocks>()
  /** The disk that is written and saved. */
  readonly written = new Map<number, number>()
  #ms = 1_800_000_000_000
  #disk = new SimDisk(() => this.now())
  #store: BlockStore | undefined
  #intake: BlockIntake | undefined

  private constructor(db: Connections) {
    this.#db = db
  }

  now(): Date {
    return new Date(this.#ms)
  }

  get store(): BlockStore {
    assert(this.#store)
    return this.#store
  }

  /** A world in which nothing is yet. */
  static async begin(db: Connections): Promise<ContentWorld> {
    for (const table of tables) await db.writes.deleteFrom(table).execute()
    const world = new ContentWorld(db)
    await world.#open()
    return world
  }

  async #open(): Promise<void> {
    const now = () => this.now()
    this.#store = await BlockStore.open({ folder: this.#disk, now, graceMs, workers: 0 })
    this.#intake = new BlockIntake(this.#store)
  }

  async call(operation: Operation, input: object, by: { accountId: string; region: string }) {
    assert(operation.kind === 'write' && this.#intake)
    const { writes, reads } = this.#db
    const { region, accountId } = by
    const context = {
      caller: callerIn(accountId),
      region,
      regions,
      requestId: '',
      now: this.now(),
      readers: {
        seal: (text: string) => createHmac('sha256', 'key').update(text).digest(),
      } as never,
    }
    const more = { db: reads, contents: this.#intake }
    const prepared: unknown = await operation.prepare?.(input, { ...context, ...more })
    try {
      return await transaction(writes, (tx) =>
        operation.run({ ...context, input, tx, newId, randomBytes }, prepared as undefined),
      )
    } finally {
      ;(prepared as Disposable | undefined)?.[Symbol.dispose]()
    }
  }

  /** Lets time pass, and reconcilers do what they owe. */
  async pass(ms: number): Promise<void> {
    this.#ms += ms
    const openDiskKey = () => Promise.reject(new Error('no disk has a key'))
    const shared = { db: this.#db, blockStore: this.store, openDiskKey, now: () => this.now() }
    const reconcilers = [
      snapshotReconciler({
        ...shared,
        bases: { isWhole: async () => true },
        volumeFolder: () => '/nowhere',
      }),
      snapshotCopyReconciler(shared),
      directSnapshotReconciler(shared),
    ]
    for (const reconciler of reconcilers) {
      for (const id of await reconciler.due()) await reconciler.step(id)
    }
    for (const one of this.snapshots) {
      const row = await findSnapshot(this.#db.reads, one.id)
      if (one.state === 'sealing') {
        assert.equal(row?.state, 'completed')
        one.state = 'whole'
      }
      // Nobody has put a block for so long; or it is over with the Recycle Bin.
      if (one.state === 'open' && row?.state !== 'pending') one.state = 'gone'
      if (one.state === 'bin' && !row) one.state = 'gone'
      if (one.state === 'whole') assert.equal(row?.state, 'completed')
    }
  }

  async take(): Promise<void> {
    const numbers = Array.from({ length: 6 }, (_, at) => this.written.get(at) ?? 0)
    const owner = { accountId: accounts[0], region: regions[0] }
    const id = newId('snapshot')
    using upload = this.store.beginUpload()
    const manifest = await saveNumbers(this.store, numbers, (digest) => upload.hold(digest))
    const row = snapshotRow(owner, { id, manifest, startedAt: this.now(), completedAt: this.now() })
    await transaction(this.#db.writes, (tx) => insertSnapshot(tx, row))
    this.add(id, owner, withoutZeros(this.written), 'whole')
  }

  add(
    id: string,
    owner: { accountId: string; region: string },
    blocks: Blocks,
    state: Model['state'],
  ) {
    const { accountId, region } = owner
    const fresh = { state, put: new Map(), isShared: false }
    this.snapshots.push({ id: id as Id<'snapshot'>, accountId, region, blocks, ...fresh })
  }

  async setRule(isKept: boolean): Promise<void> {
    await this.#db.writes.deleteFrom('retention_rules').execute()
    if (!isKept) return
    for (const [at, region] of regions.entries()) {
      const rule = {
        id: `abcdefghij${at}`,
        accountId: accounts[0],
        region,
        resourceType: 'EBS_SNAPSHOT' as const,
        retentionDays: 1,
        description: '',
        resourceTags: [],
        excludeResourceTags: [],
        createdAt: this.now(),
        lock: undefined,
        revision: 0,
      }
      await transaction(this.#db.writes, (tx) => insertRule(tx, rule))
    }
  }

  async addVolume(id: Id<'volume'>, blocks: Blocks): Promise<void> {
    const change = { id, from: ['creating'], to: 'available' } as const
    await transaction(this.#db.writes, (tx) => changeVolumeState(tx, change))
    this.volumes.set(id, blocks)
  }

  async dropVolume(id: Id<'volume'>): Promise<void> {
    await transaction(this.#db.writes, (tx) => deleteVolumeRow(tx, id))
    this.volumes.delete(id)
  }

  async collect(): Promise<void> {
    const { reads, writes } = this.#db
    const live = () => listLiveManifests(writes)
    await this.store.collectGarbage({ live, blocks: () => listAllDirectBlocks(reads) })
  }

  cutPowerAfter(operations: number): void {
    this.#disk.cutPowerAfter(operations)
  }

  /** As after a power cut: of what was not synced, some is there. */
  async crash(survives: () => boolean): Promise<void> {
    this.#disk = this.#disk.restart(survives)
    await this.#open()
    await this.pass(0)
  }

  /** Reads back all that was promised. */
  async check(): Promise<void> {
    const { store, snapshots, volumes } = this
    const { reads } = this.#db
    const live = await listLiveManifests(reads)
    assert.deepEqual(await findingsOf(store, live), [])
    for (const { id, blocks, state } of snapshots) {
      if (state !== 'whole' && state !== 'bin') continue
      const row = await findSnapshot(reads, id)
      assert(row?.state === 'completed', id)
      const listed = new Map(blocksOf(await store.readManifest(row.manifest)))
      const expected = new Map([...blocks].map(([at, one]) => [at, digestNumber(one)]))
      assert.deepEqual(listed, expected)
    }
    for (const id of volumes.keys()) {
      const base = (await findVolumeById(reads, id))?.baseManifest
      assert(base)
      await store.readManifest(base)
    }
    const isRead = ({ state }: Model) => state === 'whole' || state === 'bin' || state === 'open'
    const named = [
      // While one is open, it reads as nothing yet; its parent's blocks are there all the same.
      ...snapshots.filter(isRead).map(({ blocks }) => blocks),
      ...snapshots.filter(({ state }) => state === 'open').map(({ put }) => withoutZeros(put)),
      ...volumes.values(),
    ]
    const numbers = new Set(named.flatMap((blocks) => [...blocks.values()]))
    for (const one of numbers) {
      assert(Buffer.from(blockNumber(one)).equals(await store.readBlock(digestNumber(one))))
    }
  }

  /** After the grace period there is what is named, and nothing else. */
  async checkNothingElse(): Promise<void> {
    await this.pass(2 * graceMs)
    await this.collect()
    await this.check()
    const { reads } = this.#db
    const live = await listLiveManifests(reads)
    const named = new Set<string>(await Array.fromAsync(listAllDirectBlocks(reads)))
    named.delete(digestNumber(0))
    for (const manifest of live) {
      for (const [, digest] of blocksOf(await this.store.readManifest(manifest))) named.add(digest)
    }
    const { blocks, manifests } = this.store.usage()
    assert.deepEqual({ blocks, manifests }, { blocks: named.size, manifests: live.length })
  }
}

const newId = <K extends Kind>(kind: K): Id<K> => formatId(kind, randomBytes(9))
