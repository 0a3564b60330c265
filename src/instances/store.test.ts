import assert from 'node:assert/strict'
import { test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { type Connections, transaction } from '../db/database.ts'
import { launching, noCause, userInitiated } from './cause.ts'
import type { Instance } from './instance.ts'
import { defaultMetadataOptions } from './metadata-options.ts'
import {
  bumpReboots,
  changeInstance,
  changeInstanceState,
  deleteInstance,
  findInstance,
  findOwnInstance,
  finishReboot,
  forceStop,
  insertInstance,
  listByVpc,
  listDueInstances,
  listExpired,
  listInstances,
  listTypesInUse,
} from './store.ts'
import { anInstance } from './testing.ts'

const id = 'i-0123456789abcdef0'
const at = new Date('2026-11-23T10:00:00Z')
const later = new Date('2026-11-23T11:00:00Z')

const plain = anInstance(1, {
  id,
  accountId: '123456789012',
  state: 'pending',
  stateSince: at,
  cause: launching,
  launchedAt: at,
  bootMode: undefined,
  currentBootMode: 'legacy-bios',
})

async function insert(db: Connections, instance: Instance): Promise<void> {
  await transaction(db.writes, (tx) => insertInstance(tx, instance))
}

for (const [name, start] of Object.entries(databases)) {
  test(`an instance is read as it was written (${name})`, async (context) => {
    const db = await start(context)
    const rich: Instance = {
      ...plain,
      clientToken: 'once',
      keyName: 'mine',
      bootMode: 'uefi-preferred',
      currentBootMode: 'uefi',
      tpmSupport: undefined,
      userData: 'IyEvYmluL3No',
      isTerminationDisabled: true,
      isStopDisabled: true,
      shutdownBehavior: 'terminate',
      cause: userInitiated(at),
      isStopForced: true,
      rebootsWanted: 3,
      rebootsDone: 2,
      metadataOptions: defaultMetadataOptions({ imdsSupport: 'v2.0' }),
    }
    await insert(db, rich)
    assert.deepEqual(await findInstance(db.reads, id), rich)
    await insert(db, { ...plain, id: 'i-0123456789abcdef1' })
    const found = await findInstance(db.reads, 'i-0123456789abcdef1')
    assert.deepEqual(found, { ...plain, id: 'i-0123456789abcdef1' })
  })

  test(`an account sees its own instances of the Region alone, by id (${name})`, async (context) => {
    const db = await start(context)
    const ids = ['i-00000000000000003', 'i-00000000000000001', 'i-00000000000000002'] as const
    for (const one of ids) await insert(db, { ...plain, id: one })
    await insert(db, { ...plain, id: 'i-00000000000000004', accountId: '999999999999' })
    await insert(db, { ...plain, id: 'i-00000000000000005', region: 'eu-west-1' })
    const owner = { accountId: plain.accountId, region: plain.region }
    const idsOf = (instances: readonly Instance[]) => instances.map((instance) => instance.id)
    assert.deepEqual(idsOf(await listInstances(db.reads, owner)), [...ids].sort())
    const some = { ...owner, ids: ['i-00000000000000002', 'i-00000000000000004'] }
    assert.deepEqual(idsOf(await listInstances(db.reads, some)), ['i-00000000000000002'])
    assert.deepEqual(await listInstances(db.reads, { ...owner, ids: [] }), [])
    assert.deepEqual(await listInstances(db.reads, { ...owner, states: ['running'] }), [])
    const foreign = { ...owner, id: 'i-00000000000000005' }
    assert.equal(await findOwnInstance(db.reads, foreign), undefined)
    assert.equal((await listByVpc(db.reads, plain.vpcId)).length, 5)
  })

  test(`a state changes only from where it was expected (${name})`, async (context) => {
    const db = await start(context)
    await insert(db, plain)
    const change = { id, to: 'running', at: later, cause: noCause } as const
    await transaction(db.writes, async (tx) => {
      assert.equal(await changeInstanceState(tx, { ...change, from: 'stopped' }), false)
      assert.equal(await changeInstanceState(tx, { ...change, from: 'pending' }), true)
      assert.equal(await changeInstanceState(tx, { ...change, from: 'pending' }), false)
    })
    const running = await findInstance(db.reads, id)
    assert.equal(running?.state, 'running')
    assert.deepEqual(running?.cause, noCause)
    assert.deepEqual(running?.stateSince, later)
    assert.deepEqual(running?.launchedAt, at)
  })

  test(`the reason of a stop is kept until the instance is stopped (${name})`, async (context) => {
    const db = await start(context)
    await insert(db, { ...plain, state: 'running', cause: noCause })
    await transaction(db.writes, async (tx) => {
      const cause = userInitiated(at)
      await changeInstanceState(tx, { id, from: ['pending', 'running'], to: 'stopping', at, cause })
      assert.equal(await forceStop(tx, id), true)
      await changeInstanceState(tx, { id, from: 'stopping', to: 'stopped', at: later })
      assert.equal(await forceStop(tx, id), false)
    })
    const stopped = await findInstance(db.reads, id)
    assert.equal(stopped?.cause.reason?.code, 'Client.UserInitiatedShutdown')
    assert.equal(stopped?.cause.transition, 'User initiated (2026-11-23 10:00:00 GMT)')
    assert.equal(stopped?.isStopForced, true)
  })

  test(`a reboot is owed until it is done, and a stop makes it void (${name})`, async (context) => {
    const db = await start(context)
    await insert(db, { ...plain, state: 'running' })
    assert.deepEqual(await listDueInstances(db.reads), [])
    await transaction(db.writes, async (tx) => {
      assert.equal(await bumpReboots(tx, id), true)
      assert.equal(await bumpReboots(tx, id), true)
    })
    assert.deepEqual(await listDueInstances(db.reads), [id])
    await transaction(db.writes, async (tx) => {
      assert.equal(await finishReboot(tx, { id, done: 1 }), true)
      assert.equal(await finishReboot(tx, { id, done: 1 }), false)
      assert.equal(await finishReboot(tx, { id, done: 3 }), false)
    })
    assert.deepEqual(await listDueInstances(db.reads), [id])
    await transaction(db.writes, async (tx) => {
      await changeInstanceState(tx, { id, from: 'running', to: 'stopping', at })
      await changeInstanceState(tx, { id, from: 'stopping', to: 'stopped', at })
      assert.equal(await bumpReboots(tx, id), false)
    })
    const stopped = await findInstance(db.reads, id)
    assert.equal(stopped?.rebootsDone, 2)
    assert.deepEqual(await listDueInstances(db.reads), [])
  })

  test(`attributes change one by one, and user data can be cleared (${name})`, async (context) => {
    const db = await start(context)
    await insert(db, { ...plain, userData: 'aGk=' })
    await transaction(db.writes, async (tx) => {
      await changeInstance(tx, id, {})
      await changeInstance(tx, id, { isStopDisabled: true, instanceType: 'm5.large' })
      await changeInstance(tx, id, { userData: undefined })
    })
    const changed = { ...plain, isStopDisabled: true, instanceType: 'm5.large' }
    assert.deepEqual(await findInstance(db.reads, id), changed)
    assert.deepEqual(await listTypesInUse(db.reads, ['pending']), ['m5.large'])
    assert.deepEqual(await listTypesInUse(db.reads, ['running']), [])
  })

  test(`a terminated instance is shown for a while and then forgotten (${name})`, async (context) => {
    const db = await start(context)
    await insert(db, { ...plain, state: 'terminated' })
    assert.deepEqual(await listExpired(db.reads, at), [])
    assert.equal((await listExpired(db.reads, later)).length, 1)
    await transaction(db.writes, (tx) => deleteInstance(tx, id))
    assert.equal(await findInstance(db.reads, id), undefined)
  })
}
