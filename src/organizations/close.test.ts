import assert from 'node:assert/strict'
import { test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { putInstance } from '../../test/rows.ts'
import { transaction } from '../db/database.ts'
import { findInstance } from '../instances/store.ts'
import { requireStoppable, stopAll } from './close.ts'

test('of a closed account what runs is stopped, and nothing of others', async (context) => {
  const db = await databases.sqlite(context)
  const owner = { accountId: '111111111111', region: 'us-east-1' }
  const put = (state: 'running' | 'pending' | 'stopped', accountId = owner.accountId) =>
    putInstance(db, { ...owner, accountId }, { imageId: 'ami-00000001', state })
  const elsewhere = { ...owner, region: 'us-west-2' }
  const running = await putInstance(db, elsewhere, { imageId: 'ami-00000001' })
  const pending = await put('pending')
  const foreign = await put('running', '222222222222')
  const stop = () =>
    transaction(db.writes, (tx) => stopAll(tx, owner.accountId, new Date(2_000_000)))
  const stateOf = async ({ id }: typeof running) => (await findInstance(db.reads, id))?.state
  assert.equal(await stop(), false)
  assert.equal(await stateOf(running), 'stopping')
  assert.equal(await stateOf(pending), 'pending')
  assert.equal(await stateOf(foreign), 'running')
  // What was on its way up is stopped when it is up.
  await db.writes
    .updateTable('instances')
    .set({ state: 'running' })
    .where('id', '=', pending.id)
    .execute()
  assert.equal(await stop(), false)
  assert.equal(await stateOf(pending), 'stopping')
  await db.writes
    .updateTable('instances')
    .set({ state: 'stopped' })
    .where('state', '=', 'stopping')
    .execute()
  assert.equal(await stop(), true)
})

test('an account is not closed over a machine that would lose its disk', async (context) => {
  const db = await databases.sqlite(context)
  const owner = { accountId: '111111111111', region: 'us-east-1' }
  const bound = { imageId: 'ami-00000001', rootDeviceType: 'instance-store' } as const
  await putInstance(db, owner, { ...bound, state: 'terminated' })
  await putInstance(db, { ...owner, accountId: '222222222222' }, bound)
  await requireStoppable(db.reads, owner.accountId)
  const { id } = await putInstance(db, owner, { ...bound, state: 'pending' })
  await assert.rejects(requireStoppable(db.reads, owner.accountId), {
    code: 'ConflictException',
    message: new RegExp(`${id} .* Terminate it first`),
  })
})
