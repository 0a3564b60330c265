import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { newId, putImage } from '../../test/rows.ts'
import { transaction } from '../db/database.ts'
import {
  completeStoreTask,
  deleteRestore,
  deleteStoreTask,
  failStoreTask,
  findRestore,
  findStoreTask,
  insertRestore,
  insertStoreTask,
  listDueStoreTasks,
  listRestoredSnapshots,
  listRestores,
  listStoreTasks,
  setStoreProgress,
  sumRestoringGiB,
  sumStoringGiB,
} from './store.ts'
import { formatTaskId, type StoreTask } from './store-task.ts'

const owner = { accountId: '111111111111', region: 'us-east-1' }
const aTask = (number: number, changes: Partial<StoreTask> = {}): StoreTask => ({
  ...owner,
  id: formatTaskId(new Date(number), Buffer.from([number])),
  imageId: 'ami-00000000000000001',
  bucket: 'images',
  key: 'ami-00000000000000001.bin',
  state: 'InProgress',
  failureReason: undefined,
  progressPercent: 0,
  startedAt: new Date(number),
  sizeGiB: 8,
  description: '{}',
  ...changes,
})

for (const [name, start] of Object.entries(databases)) {
  describe(`stored images on ${name}`, () => {
    test('one task at a time stores an image in a bucket', async (context) => {
      const { writes } = await start(context)
      const insert = (task: StoreTask) => transaction(writes, (tx) => insertStoreTask(tx, task))
      const [first, second, third, elsewhere] = [
        aTask(1),
        aTask(2),
        aTask(3),
        aTask(4, { bucket: 'archive', sizeGiB: 5 }),
      ]
      assert.equal(await insert(first), true)
      assert.equal(await insert(second), false)
      assert.equal(await insert(elsewhere), true)
      assert.equal(await sumStoringGiB(writes, owner.accountId), 13)
      assert.equal(await sumStoringGiB(writes, '222222222222'), 0)
      await setStoreProgress(writes, first.id, 40)
      assert.deepEqual(await findStoreTask(writes, first.id), { ...first, progressPercent: 40 })
      await deleteStoreTask(writes, first.id)
      await completeStoreTask(writes, first.id)
      await failStoreTask(writes, first.id, 'too late')
      const done = { ...first, state: 'Completed', progressPercent: 100 }
      assert.deepEqual(await findStoreTask(writes, first.id), done)
      assert.equal(await insert(third), true)
      await failStoreTask(writes, third.id, 'no room')
      await setStoreProgress(writes, third.id, 50)
      const failed = { ...third, state: 'Failed', failureReason: 'no room' }
      const since = new Date(0)
      assert.deepEqual(await listStoreTasks(writes, { ...owner, since }), [done, failed, elsewhere])
      assert.deepEqual(await listStoreTasks(writes, { ...owner, since: new Date(3) }), [elsewhere])
      assert.deepEqual(await listDueStoreTasks(writes, since), [elsewhere.id])
      assert.deepEqual(await listDueStoreTasks(writes, new Date(1)), [first.id, elsewhere.id])
      await deleteStoreTask(writes, first.id)
      assert.equal(await findStoreTask(writes, first.id), undefined)
    })

    test('what is owed to a restored image is there until it is done', async (context) => {
      const db = await start(context)
      const { id: imageId } = await putImage(db, owner, { name: 'restored' })
      const snapshotIds = [newId('snapshot'), newId('snapshot')]
      const restore = {
        ...owner,
        imageId,
        bucket: 'images',
        key: 'a/b.bin',
        snapshotIds,
        descriptionDigest: 'sha256:0',
        sizeGiB: 9,
      }
      await transaction(db.writes, (tx) => insertRestore(tx, restore))
      assert.deepEqual(await findRestore(db.reads, imageId), restore)
      assert.deepEqual(await listRestores(db.reads), [imageId])
      assert.deepEqual(await listRestoredSnapshots(db.reads), snapshotIds)
      assert.equal(await sumRestoringGiB(db.reads, owner.accountId), 9)
      await transaction(db.writes, (tx) => deleteRestore(tx, imageId))
      assert.equal(await findRestore(db.reads, imageId), undefined)
      assert.equal(await sumRestoringGiB(db.reads, owner.accountId), 0)
    })
  })
}
