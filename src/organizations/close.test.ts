import assert from 'node:assert/strict'
import { test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { putInstance } from '../../test/rows.ts'
import { transaction } from '../db/database.ts'
import {
  findFastRestore,
  insertFastRestore,
  listFastRestoresInState,
} from '../fast-restores/store.ts'
import { findInstance } from '../instances/store.ts'
import { insertSnapshot } from '../snapshots/store.ts'
import { aSnapshot } from '../snapshots/testing.ts'
import { endFastRestores, requireStoppable, stopAll } from './close.ts'

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

test('a closed account has no bases kept ready, and others go on', async (context) => {
  const db = await databases.sqlite(context)
  const [closed, other] = ['111111111111', '222222222222'] as const
  const times = { enabled: new Date(1_000_000) }
  const made = { snapshotId: aSnapshot(1).id, region: 'us-east-1', times } as const
  const zones = { enabling: 'a', optimizing: 'b', enabled: 'c', disabled: 'd' } as const
  const now = new Date(2_000_000)
  const states = Object.keys(zones) as (keyof typeof zones)[]
  await transaction(db.writes, async (tx) => {
    await insertSnapshot(tx, aSnapshot(1))
    for (const state of states) {
      const zone = `us-east-1${zones[state]}`
      for (const accountId of [closed, other])
        await insertFastRestore(tx, { ...made, state, zone, accountId })
    }
    await endFastRestores(tx, closed, now)
  })
  const ended = await listFastRestoresInState(db.reads, ['disabling'])
  assert.deepEqual(
    new Set(ended.map(({ accountId, zone }) => `${accountId} ${zone}`)),
    new Set(['a', 'b', 'c'].map((zone) => `${closed} us-east-1${zone}`)),
  )
  assert.deepEqual(ended[0]?.times, { ...times, disabling: now })
  for (const state of states) {
    const zone = `us-east-1${zones[state]}`
    const theirs = await findFastRestore(db.reads, { ...made, zone, accountId: other })
    assert.equal(theirs?.state, state)
  }
})
