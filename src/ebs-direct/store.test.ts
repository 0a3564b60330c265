import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { BlockIntake } from '../block-store/block-intake.ts'
import {
  blockNumber,
  digestNumber,
  findingsOf,
  openStore,
  readAll,
  saveNumbers,
  temporaryFolder,
} from '../block-store/testing.ts'
import { type Connections, transaction } from '../db/database.ts'
import { listLiveManifests } from '../snapshots/live-manifests.ts'
import { deleteSnapshotRow, findSnapshot, insertSnapshot } from '../snapshots/store.ts'
import { aPendingSnapshot } from '../snapshots/testing.ts'
import type { DirectSnapshot } from './direct-snapshot.ts'
import { directSnapshotReconciler } from './reconcile.ts'
import {
  countDirectBlocks,
  findDirectSnapshot,
  insertDirectSnapshot,
  listAllDirectBlocks,
  listDueDirectSnapshots,
  putDirectBlock,
  sealDirectSnapshot,
} from './store.ts'

const openDiskKey = async () => assert.fail('nothing is encrypted')

const now = new Date(10_000_000)
const pending = aPendingSnapshot(1, { startedAt: now })
const { id } = pending
const open: DirectSnapshot = {
  id,
  state: 'open',
  parentSnapshotId: undefined,
  parentManifest: undefined,
  timeoutMinutes: 10,
  touchedAt: now,
  changedBlocksCount: undefined,
}

async function insert(db: Connections, direct: DirectSnapshot): Promise<void> {
  await transaction(db.writes, async (tx) => {
    await insertSnapshot(tx, pending)
    await insertDirectSnapshot(tx, direct)
  })
}

const after = (minutes: number) => new Date(now.getTime() + minutes * 60_000)

for (const [name, start] of Object.entries(databases)) {
  describe(`snapshots written block by block on ${name}`, () => {
    test('what was put stays until the snapshot is made, and after', async (context) => {
      const db = await start(context)
      const folder = await temporaryFolder(context)
      const store = await openStore(folder)
      context.after(() => store.close())
      const parent = await saveNumbers(store, [7, 8, 9])
      await insert(db, { ...open, parentSnapshotId: 'snap-00000002', parentManifest: parent })
      const put = async (intake: BlockIntake, index: number, number: number) => {
        const digest = digestNumber(number)
        using block = await intake.storeBlock(digest, blockNumber(number).slice())
        const { addedBytes } = block
        await transaction(db.writes, (tx) =>
          putDirectBlock(tx, { id, index, digest, addedBytes, now }),
        )
      }
      const collect = (of = store) =>
        of.collectGarbage({
          live: () => listLiveManifests(db.reads),
          blocks: () => listAllDirectBlocks(db.reads),
        })
      const intake = new BlockIntake(store)
      await Promise.all([
        put(intake, 0, 1),
        put(intake, 5, 2),
        put(intake, 2, 0),
        put(intake, 6, 1),
      ])
      // What another put in its place is nobody's.
      await put(intake, 5, 3)
      assert.equal((await collect()).blocksDeleted, 1)
      await store.close()

      // Another program finds the same.
      // By its files, which bear the time of the machine.
      const next = await openStore(folder, () => new Date(Date.now() + 1000))
      context.after(() => next.close())
      await collect(next)
      for (const number of [1, 3, 7, 8, 9]) assert(next.hasBlock(digestNumber(number)))
      assert(!next.hasBlock(digestNumber(2)))
      assert.equal(await countDirectBlocks(db.reads, id), 4)

      const reconciler = directSnapshotReconciler({
        db,
        openDiskKey,
        blockStore: next,
        now: () => now,
      })
      assert.deepEqual(await reconciler.due(), [])
      await transaction(db.writes, (tx) => sealDirectSnapshot(tx, { id, changedBlocksCount: 4 }))
      assert.deepEqual(await reconciler.due(), [id])
      assert.equal(await reconciler.step(id), 'moved')
      assert.deepEqual(await reconciler.due(), [])
      const made = await findSnapshot(db.reads, id)
      assert(made?.state === 'completed')
      assert.equal(made.parentSnapshotId, 'snap-00000002')
      assert(made.addedBytes > 0)
      await collect(next)
      await readAll(next, made.manifest)
      const { indexes } = await next.readManifest(made.manifest)
      assert.deepEqual([...indexes], [0, 1, 5, 6])
      assert.deepEqual(await listLiveManifests(db.reads), [made.manifest])
      assert.deepEqual(await findingsOf(next, [made.manifest]), [])

      await transaction(db.writes, (tx) => deleteSnapshotRow(tx, id))
      assert.equal(await findDirectSnapshot(db.reads, id), undefined)
      await collect(next)
      assert.equal(next.usage().blocks, 0)
    })

    test('each block gives it more time, and then it fails', async (context) => {
      const db = await start(context)
      await insert(db, open)
      assert.deepEqual(await listDueDirectSnapshots(db.reads, after(10)), [])
      const block = { id, index: 0, digest: digestNumber(1), addedBytes: 1 } as const
      await transaction(db.writes, (tx) => putDirectBlock(tx, { ...block, now: after(9) }))
      assert.deepEqual(await listDueDirectSnapshots(db.reads, after(19)), [])
      assert.deepEqual(await listDueDirectSnapshots(db.reads, after(20)), [id])
      const blockStore = {
        beginUpload: () => assert.fail('there is nothing to store'),
        readManifest: () => assert.fail('there is nothing to read'),
      }
      const early = directSnapshotReconciler({ db, openDiskKey, blockStore, now: () => after(1) })
      assert.equal(await early.step(id), 'waiting')
      const reconciler = directSnapshotReconciler({
        db,
        openDiskKey,
        blockStore,
        now: () => after(20),
      })
      assert.equal(await reconciler.step(id), 'moved')
      assert.equal((await findSnapshot(db.reads, id))?.state, 'error')
      assert.equal(await countDirectBlocks(db.reads, id), 0)
      const isOpen = await transaction(db.writes, (tx) =>
        putDirectBlock(tx, { ...block, now: after(20) }),
      )
      assert(!isOpen)
    })
  })
}
