import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { type Connections, transaction } from '../db/database.ts'
import { callerIn } from '../iam/testing.ts'
import type { Id } from '../lib/ids.ts'
import { sealerOf } from '../lib/seal.ts'
import { listLiveManifests } from '../snapshots/live-manifests.ts'
import { deleteSnapshotRow, findSnapshot, insertSnapshot } from '../snapshots/store.ts'
import { aSnapshot } from '../snapshots/testing.ts'
import { copySnapshots } from './copy.ts'
import { snapshotCopyReconciler } from './reconcile.ts'
import { findCopy, listCopiesUnderWay } from './store.ts'

const openDiskKey = async () => assert.fail('nothing is encrypted')
const beginUpload = () => assert.fail('nothing is new')

const accountId = '111111111111'
const now = new Date(1_000_000)
const manifest = `sha256:${'a'.repeat(64)}` as const
const source = aSnapshot(1, {
  accountId: '222222222222',
  volumeSizeGiB: 3,
  description: 'the source',
  manifest,
  fullSizeBytes: 512,
  addedBytes: 512,
})

async function copy({ writes }: Connections, count = 1): ReturnType<typeof copySnapshots> {
  return await transaction(writes, (tx) =>
    copySnapshots(
      {
        tx,
        now,
        newId: (kind) => newId(kind) as never,
        caller: callerIn(accountId),
        region: 'us-west-2',
        readers: { masterKey: sealerOf(randomBytes(32), randomBytes), randomBytes },
      },
      {
        sources: Array.from({ length: count }, () => source),
        describe: ({ id }) => `a copy of ${id}`,
        tags: [{ key: 'a', value: 'b' }],
        completionMinutes: undefined,
      },
    ),
  )
}

let made = 1
const newId = (_kind: string): Id<'snapshot'> => `snap-${String(++made).padStart(17, '0')}`

for (const [name, start] of Object.entries(databases)) {
  describe(`copies of snapshots on ${name}`, () => {
    test('a copy holds the disk from the call on, and until it is deleted', async (context) => {
      const db = await start(context)
      await transaction(db.writes, (tx) => insertSnapshot(tx, source))
      const [pending] = await copy(db)
      assert(pending)
      await transaction(db.writes, (tx) => deleteSnapshotRow(tx, source.id))
      assert.deepEqual(await listLiveManifests(db.reads), [manifest])

      const blockStore = { hasManifest: () => true, beginUpload }
      const reconciler = snapshotCopyReconciler({ db, blockStore, openDiskKey, now: () => now })
      assert.deepEqual(await reconciler.due(), [pending.id])
      assert.equal(await reconciler.step(pending.id), 'moved')
      assert.deepEqual(await reconciler.due(), [])
      const copied = await findSnapshot(db.reads, pending.id)
      assert(copied?.state === 'completed')
      assert.deepEqual(
        [copied.manifest, copied.fullSizeBytes, copied.addedBytes, copied.description],
        [manifest, 512, 0, `a copy of ${source.id}`],
      )
      assert.equal((await findCopy(db.reads, pending.id))?.sourceRegion, 'us-east-1')
      assert.deepEqual(await listLiveManifests(db.reads), [manifest])
      await transaction(db.writes, (tx) => deleteSnapshotRow(tx, pending.id))
      assert.equal(await findCopy(db.reads, pending.id), undefined)
      assert.deepEqual(await listLiveManifests(db.reads), [])
    })

    test('a copy of a disk that is not there fails, and says so', async (context) => {
      const db = await start(context)
      await transaction(db.writes, (tx) => insertSnapshot(tx, source))
      const [pending] = await copy(db)
      assert(pending)
      const blockStore = { hasManifest: () => false, beginUpload }
      const reconciler = snapshotCopyReconciler({ db, blockStore, openDiskKey, now: () => now })
      await reconciler.step(pending.id)
      const copied = await findSnapshot(db.reads, pending.id)
      assert(copied?.state === 'error')
      assert.match(copied.stateMessage, /is not in the block store/)
      assert.deepEqual(await listCopiesUnderWay(db.reads), [])
    })

    test('an account has at most 20 copies under way to a Region', async (context) => {
      const db = await start(context)
      await transaction(db.writes, (tx) => insertSnapshot(tx, source))
      await copy(db, 19)
      await assert.rejects(copy(db, 2), { code: 'ResourceLimitExceeded' })
      await copy(db, 1)
      assert.equal((await listCopiesUnderWay(db.reads)).length, 20)
    })
  })
}
