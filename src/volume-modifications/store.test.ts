import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { transaction } from '../db/database.ts'
import { deleteVolumeRow, insertVolume } from '../volumes/store.ts'
import { aVolume } from '../volumes/testing.ts'
import type { Modification } from './modification.ts'
import {
  changeModificationState,
  insertModification,
  listLastModifications,
  listModificationsIn,
  listModificationsOf,
} from './store.ts'

const volumeId = 'vol-00000000000000001'
const owner = { accountId: '111111111111', region: 'us-east-1' }
const shape = { sizeGiB: 1, type: 'gp2', iops: 100, throughput: undefined } as const
const first: Modification = {
  volumeId,
  number: 1,
  ...owner,
  state: 'modifying',
  message: undefined,
  original: shape,
  target: { sizeGiB: 2, type: 'gp3', iops: 3000, throughput: 125 },
  startedAt: new Date(1_000_000),
  endedAt: undefined,
}

for (const [name, start] of Object.entries(databases)) {
  describe(`changes of volumes on ${name}`, () => {
    test('a change is kept as it was, ends once, and goes with its volume', async (context) => {
      const db = await start(context)
      const second = { ...first, number: 2, original: first.target }
      await transaction(db.writes, async (tx) => {
        await insertVolume(tx, aVolume(1, { ...owner, ...shape }))
        await insertModification(tx, first)
        const change = { volumeId, number: 1, from: 'modifying', to: 'failed' } as const
        const end = { ...change, endedAt: new Date(2_000_000), message: 'no' }
        assert.equal(await changeModificationState(tx, end), true)
        assert.equal(await changeModificationState(tx, end), false)
        await insertModification(tx, second)
      })
      const failed = { ...first, state: 'failed', endedAt: new Date(2_000_000), message: 'no' }
      assert.deepEqual(await listModificationsOf(db.reads, volumeId), [failed, second])
      assert.deepEqual(await listLastModifications(db.reads, owner), [second])
      assert.deepEqual(await listModificationsIn(db.reads, ['modifying']), [second])
      await transaction(db.writes, (tx) => deleteVolumeRow(tx, volumeId))
      assert.deepEqual(await listModificationsOf(db.reads, volumeId), [])
    })
  })
}
