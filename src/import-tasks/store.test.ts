import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { transaction } from '../db/database.ts'
import { type ImportTask, listedForMs } from './import-task.ts'
import {
  changeTask,
  deleteTask,
  findTask,
  insertTask,
  listForgettableIds,
  listTasks,
  listTasksUnderWay,
  setTaskProgress,
  setTaskResult,
} from './store.ts'

const owner = { accountId: '111111111111', region: 'us-east-1' }
const at = new Date(1_000_000)
const task: ImportTask = {
  id: 'import-snap-00000000000000001',
  ...owner,
  description: 'a disk',
  containers: [
    { source: { kind: 'object', bucket: 'b', key: 'k' }, format: 'VHD', description: 'd' },
  ],
  image: undefined,
  state: 'active',
  message: 'pending',
  progressPercent: 0,
  disks: [{}],
  imageId: undefined,
  createdAt: at,
  endedAt: undefined,
}
const image: ImportTask = {
  ...task,
  id: 'import-ami-00000000000000002',
  accountId: '222222222222',
  image: { architecture: 'arm64', bootMode: 'uefi' },
  createdAt: new Date(0),
}

for (const [name, start] of Object.entries(databases)) {
  describe(`import tasks on ${name}`, () => {
    test('a task comes back as it was recorded, to its owner', async (context) => {
      const { writes: db } = await start(context)
      await transaction(db, async (tx) => {
        for (const each of [task, image]) await insertTask(tx, each)
      })
      assert.deepEqual(await findTask(db, task.id), task)
      assert.deepEqual(await listTasks(db, owner), [task])
      assert.deepEqual(await listTasksUnderWay(db), [image, task])
    })

    test('a task ends once, and is told of no progress after that', async (context) => {
      const { writes: db } = await start(context)
      await transaction(db, (tx) => insertTask(tx, task))
      const { id } = task
      const disks = [{ format: 'VHD', sizeBytes: 5 }]
      const progress = { message: 'storing', percent: 70, disks }
      assert.equal(await setTaskProgress(db, id, progress), true)
      const message = 'Cancelled by the user'
      const cancel = { from: 'active', to: 'deleting', message } as const
      assert.equal(await transaction(db, (tx) => changeTask(tx, id, cancel)), true)
      assert.equal(await transaction(db, (tx) => changeTask(tx, id, cancel)), false)
      assert.equal(await setTaskProgress(db, id, progress), false)
      const done = { from: 'active', to: 'completed', endedAt: at } as const
      assert.equal(await transaction(db, (tx) => changeTask(tx, id, done)), false)
      const end = { from: 'deleting', to: 'deleted', endedAt: at } as const
      assert.equal(await transaction(db, (tx) => changeTask(tx, id, end)), true)
      assert.deepEqual(await findTask(db, id), {
        ...task,
        disks,
        message,
        progressPercent: 70,
        state: 'deleted',
        endedAt: at,
      })
      assert.deepEqual(await listTasksUnderWay(db), [])
    })

    test('a task is forgotten seven days after its end', async (context) => {
      const { writes: db } = await start(context)
      await transaction(db, async (tx) => {
        await insertTask(tx, image)
        await changeTask(tx, image.id, { from: 'active', to: 'completed', endedAt: at })
        const disks = [{ snapshotId: 'snap-00000000000000001' as const }]
        await setTaskResult(tx, image.id, { disks, imageId: 'ami-00000000000000001' })
      })
      const found = await findTask(db, image.id)
      assert.deepEqual([found?.imageId, found?.progressPercent], ['ami-00000000000000001', 100])
      const end = at.getTime() + listedForMs
      assert.deepEqual(await listForgettableIds(db, new Date(end - 1)), [])
      assert.deepEqual(await listForgettableIds(db, new Date(end)), [image.id])
      await transaction(db, (tx) => deleteTask(tx, image.id))
      assert.equal(await findTask(db, image.id), undefined)
    })
  })
}
