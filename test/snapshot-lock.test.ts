/** Snapshots are locked, for some days or for good, through a real client. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  DeleteSnapshotCommand,
  DeregisterImageCommand,
  DescribeLockedSnapshotsCommand,
  LockSnapshotCommand,
  type LockSnapshotCommandInput,
  UnlockSnapshotCommand,
} from '@aws-sdk/client-ec2'
import { transaction } from '../src/db/database.ts'
import { failSnapshot, insertSnapshot } from '../src/snapshots/store.ts'
import { aPendingSnapshot } from '../src/snapshots/testing.ts'
import { databases } from './databases.ts'
import { putImage, snapshotRow } from './rows.ts'
import { accountId, region, startSystem } from './system.ts'

const owner = { accountId, region }
const dayMs = 86_400_000
const locked = { name: 'OperationNotPermitted' }

async function start(context: TestContext, database: keyof typeof databases = 'sqlite') {
  const system = await startSystem(context, { isIdle: true, database })
  const { ec2, db } = system
  const snapshot = snapshotRow(owner)
  await transaction(db.writes, (tx) => insertSnapshot(tx, snapshot))
  const SnapshotId = snapshot.id
  return {
    ...system,
    SnapshotId,
    lock: (input: Partial<LockSnapshotCommandInput>) =>
      ec2.send(new LockSnapshotCommand({ SnapshotId, LockMode: 'governance', ...input })),
    unlock: () => ec2.send(new UnlockSnapshotCommand({ SnapshotId })),
    remove: () => ec2.send(new DeleteSnapshotCommand({ SnapshotId })),
    locks: async (input: object = {}) =>
      (await ec2.send(new DescribeLockedSnapshotsCommand(input))).Snapshots ?? [],
    /** As if the lock had been made so much earlier. */
    age: async (byMs: number) => {
      const [row] = await db.reads.selectFrom('snapshot_locks').selectAll().execute()
      assert(row)
      const changed_at_ms = row.changed_at_ms - byMs
      await db.writes.updateTable('snapshot_locks').set({ changed_at_ms }).execute()
      await db.writes.updateTable('snapshots').set({ completed_at_ms: 1 }).execute()
    },
  }
}

for (const database of Object.keys(databases) as (keyof typeof databases)[]) {
  test(`in governance mode a snapshot stays until it is unlocked (${database})`, async (context) => {
    const { lock, unlock, remove, locks, age, SnapshotId } = await start(context, database)
    assert.deepEqual(await locks(), [])
    await assert.rejects(unlock(), { name: 'IncorrectState' })
    const made = await lock({ LockDuration: 2 })
    assert.deepEqual(
      [made.SnapshotId, made.LockState, made.LockDuration],
      [SnapshotId, 'governance', 2],
    )
    const lasts =
      (made.LockExpiresOn?.getTime() ?? 0) - (made.LockDurationStartTime?.getTime() ?? 0)
    assert.equal(lasts, 2 * dayMs)
    await assert.rejects(remove(), locked)
    const [shown] = await locks()
    assert.deepEqual([shown?.OwnerId, shown?.LockState], [accountId, 'governance'])
    // It can be made shorter, and lifted.
    assert.equal((await lock({ LockDuration: 1 })).LockDuration, 1)
    assert.equal((await unlock()).SnapshotId, SnapshotId)
    assert.deepEqual(await locks(), [])

    await lock({ LockDuration: 1 })
    await age(dayMs)
    const expired = { Filters: [{ Name: 'lock-state', Values: ['expired'] }] }
    assert.equal((await locks(expired)).length, 1)
    await assert.rejects(unlock(), { name: 'IncorrectState' })
    await remove()
    assert.deepEqual(await locks(), [])
  })

  test(`in compliance mode a lock can only be extended (${database})`, async (context) => {
    const { lock, unlock, remove, locks, age } = await start(context, database)
    const LockMode = 'compliance'
    const cool = await lock({ LockMode, LockDuration: 10, CoolOffPeriod: 1 })
    assert.equal(cool.LockState, 'compliance-cooloff')
    assert(cool.CoolOffPeriodExpiresOn)
    await assert.rejects(remove(), locked)
    // As long as it cools off, everything can be changed.
    await lock({ LockMode: 'governance', LockDuration: 1 })
    await lock({ LockMode, LockDuration: 10, CoolOffPeriod: 72 })
    await unlock()
    await lock({ LockMode, LockDuration: 10, CoolOffPeriod: 1 })
    await age(dayMs / 24)
    const [shown] = await locks({ Filters: [{ Name: 'lock-state', Values: ['compliance'] }] })
    assert.equal(shown?.LockState, 'compliance')
    await assert.rejects(unlock(), locked)
    await assert.rejects(remove(), locked)
    await assert.rejects(lock({ LockMode: 'governance', LockDuration: 20 }), locked)
    await assert.rejects(lock({ LockMode, LockDuration: 9 }), locked)
    await assert.rejects(lock({ LockMode, LockDuration: 20, CoolOffPeriod: 1 }), locked)
    const soon = new Date(Date.now() + dayMs)
    await assert.rejects(lock({ LockMode, ExpirationDate: soon }), locked)
    assert.equal((await lock({ LockMode, LockDuration: 20 })).LockState, 'compliance')
    await age(20 * dayMs)
    await remove()
  })
}

test('a lock whose days have not begun can only be extended too', async (context) => {
  const { db, ...system } = await start(context)
  const pending = aPendingSnapshot(1, { ...owner, startedAt: new Date() })
  const SnapshotId = pending.id
  await transaction(db.writes, (tx) => insertSnapshot(tx, pending))
  const LockMode = 'compliance'
  const lock = (input: Partial<LockSnapshotCommandInput>) => system.lock({ SnapshotId, ...input })
  await lock({ LockMode, LockDuration: 10 })
  // The snapshot may be completed so late that the date is past.
  const ExpirationDate = new Date(Date.now() + 20 * dayMs)
  await assert.rejects(lock({ LockMode, ExpirationDate }), locked)
  const changed_at_ms = Date.now() - 9 * dayMs
  await db.writes.updateTable('snapshot_locks').set({ changed_at_ms }).execute()
  await assert.rejects(lock({ LockMode, LockDuration: 9 }), locked)
  assert.equal((await lock({ LockMode, LockDuration: 11 })).LockDuration, 11)

  // Where there will be no snapshot, nothing is locked.
  const failed = { id: SnapshotId, message: 'no disk' }
  await transaction(db.writes, (tx) => failSnapshot(tx, failed))
  assert.deepEqual(await system.locks(), [])
  await system.ec2.send(new DeleteSnapshotCommand({ SnapshotId }))
})

test('what no lock can be is refused', async (context) => {
  const system = await start(context)
  const { lock, locks, SnapshotId } = system
  const refused = (input: Partial<LockSnapshotCommandInput>, name: string) =>
    assert.rejects(lock(input), { name }, JSON.stringify(input))
  await refused({ LockMode: 'strict' as 'governance', LockDuration: 1 }, 'InvalidParameterValue')
  await refused({ LockMode: undefined, LockDuration: 1 }, 'MissingParameter')
  await refused({}, 'MissingParameter')
  await refused({ LockDuration: 0 }, 'InvalidParameterValue')
  await refused({ LockDuration: 36_501 }, 'InvalidParameterValue')
  const ExpirationDate = new Date(Date.now() + dayMs)
  await refused({ LockDuration: 1, ExpirationDate }, 'InvalidParameterCombination')
  await refused({ ExpirationDate: new Date(1) }, 'InvalidParameterValue')
  await refused({ LockDuration: 1, CoolOffPeriod: 1 }, 'InvalidParameterCombination')
  for (const CoolOffPeriod of [0, 73]) {
    const input = { LockMode: 'compliance', LockDuration: 1, CoolOffPeriod } as const
    await refused(input, 'InvalidParameterValue')
  }
  await refused({ SnapshotId: 'snap-x', LockDuration: 1 }, 'InvalidSnapshotID.Malformed')
  const missing = 'snap-0123456789abcdef0'
  await refused({ SnapshotId: missing, LockDuration: 1 }, 'InvalidSnapshot.NotFound')
  const other = await system.client('222222222222')
  const theirs = { SnapshotId, LockMode: 'governance', LockDuration: 1 } as const
  await assert.rejects(other.send(new LockSnapshotCommand(theirs)), {
    name: 'InvalidSnapshot.NotFound',
  })
  await assert.rejects(locks({ SnapshotIds: [missing] }), { name: 'InvalidSnapshot.NotFound' })
  await assert.rejects(locks({ Filters: [{ Name: 'x', Values: ['y'] }] }), {
    name: 'InvalidParameterValue',
  })
  assert.equal((await lock({ ExpirationDate })).LockDuration, 1)
})

test('a locked snapshot outlives its image', async (context) => {
  const { ec2, db } = await start(context)
  const image = await putImage(db, owner, { name: 'one' })
  const SnapshotId = image.blockDevices[0]?.ebs?.snapshotId
  await ec2.send(new LockSnapshotCommand({ SnapshotId, LockMode: 'governance', LockDuration: 1 }))
  const { DeleteSnapshotResults } = await ec2.send(
    new DeregisterImageCommand({ ImageId: image.id, DeleteAssociatedSnapshots: true }),
  )
  assert.deepEqual(DeleteSnapshotResults, [{ SnapshotId, ReturnCode: 'client-error' }])
  await assert.rejects(ec2.send(new DeleteSnapshotCommand({ SnapshotId })), locked)
})

test('of a lock and a deletion at the same instant, one wins', async (context) => {
  const { ec2, db } = await start(context, 'postgres')
  for (let round = 0; round < 15; round++) {
    const snapshot = snapshotRow(owner)
    const SnapshotId = snapshot.id
    await transaction(db.writes, (tx) => insertSnapshot(tx, snapshot))
    const lock = { SnapshotId, LockMode: 'governance', LockDuration: 1 } as const
    const [locking, deleting] = await Promise.allSettled([
      ec2.send(new LockSnapshotCommand(lock)),
      ec2.send(new DeleteSnapshotCommand({ SnapshotId })),
    ])
    assert.notEqual(locking.status, deleting.status)
    const lost = [locking, deleting].find(({ status }) => status === 'rejected')
    assert(lost?.status === 'rejected' && lost.reason instanceof Error)
    assert.match(lost.reason.name, /^(OperationNotPermitted|InvalidSnapshot.NotFound)$/)
  }
})
