import assert from 'node:assert/strict'
import { test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { putImage } from '../../test/rows.ts'
import { transaction } from '../db/database.ts'
import type { Watermark } from './watermark.ts'
import {
  addWatermarks,
  carryWatermarks,
  listWatermarks,
  removeWatermark,
} from './watermark-store.ts'

const owner = { accountId: '111111111111', region: 'us-east-1' }
const watermark: Watermark = {
  key: '111111111111:approved',
  sourceImageId: 'ami-00000001',
  sourceImageRegion: 'us-east-1',
  sourceImageCreatedAt: new Date(1),
  createdAt: new Date(2),
}

for (const [name, start] of Object.entries(databases)) {
  test(`watermarks are carried on, each once, and taken off one by one (${name})`, async (context) => {
    const db = await start(context)
    const { id: from } = await putImage(db, owner, { name: 'one' })
    const { id: to } = await putImage(db, owner, { name: 'two' })
    const second = { ...watermark, key: '222222222222:tested', createdAt: new Date(3) }
    await transaction(db.writes, async (tx) => {
      await addWatermarks(tx, from, [second, watermark])
      await addWatermarks(tx, to, [{ ...watermark, createdAt: new Date(9) }])
      await carryWatermarks(tx, { from, to })
      await carryWatermarks(tx, { from: undefined, to })
      await removeWatermark(tx, from, watermark.key)
    })
    const carried = await listWatermarks(db.reads, [from, to])
    assert.deepEqual(carried.get(from), [second])
    assert.deepEqual(carried.get(to), [{ ...watermark, createdAt: new Date(9) }, second])
  })
}
