import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { databases } from '../../test/databases.ts'
import { type Database, transaction } from '../db/database.ts'
import type { AuditEvent } from './event.ts'
import { AuditLog } from './log.ts'
import { findForgettable, forgetEvents, listTrails, lookUpEvents, recordEvents } from './store.ts'
import { verifyTrails } from './verify.ts'

const [ours, theirs] = ['111111111111', '222222222222'] as const

const event = (number: number, accountId: string | undefined = ours): AuditEvent => ({
  requestId: `request-${number}`,
  at: new Date(1_700_000_000_000 + number * 1000),
  service: 'ec2',
  action: number % 2 === 0 ? 'RunInstances' : 'DescribeImages',
  isReadOnly: number % 2 === 1,
  outcome: 'Success',
  message: undefined,
  region: 'us-east-1',
  principal:
    (accountId && {
      accountId,
      arn: `arn:aws:iam::${accountId}:user/ada`,
      userId: 'AIDA1',
      accessKeyId: 'AKIA1',
    }) ||
    undefined,
  claimedKeyId: undefined,
  sourceAddress: '127.0.0.1',
  userAgent: 'test',
  parameters: { ImageId: 'ami-0123456789abcdef0' },
  resources: [{ type: 'AWS::EC2::Ami', name: 'ami-0123456789abcdef0' }],
})

let ids = 0
const toRecord = (number: number, owners: readonly string[] = []) => ({
  event: event(number),
  owners,
  newId: () => `event-${ids++}`,
})

async function fill(db: Database, count: number, owners: readonly string[] = []): Promise<void> {
  const numbers = Array.from({ length: count }, (_, index) => index)
  await transaction(db, (tx) =>
    recordEvents(
      tx,
      numbers.map((number) => toRecord(number, owners)),
    ),
  )
}

const verified = async (db: Database) => {
  const all = await Array.fromAsync(verifyTrails(db))
  return new Map(all.map(({ accountId, events, brokenAt }) => [accountId, brokenAt ?? events]))
}

for (const [name, open] of Object.entries(databases)) {
  test(`a trail proves that no event of it is missing or changed, ${name}`, async (context) => {
    const { writes: db } = await open(context)
    await fill(db, 8)
    await fill(db, 2, [theirs])
    assert.deepEqual(
      await verified(db),
      new Map([
        [ours, 10],
        [theirs, 2],
      ]),
    )

    const spoil = async (statement: ReturnType<typeof sql>, position: number, what: string) => {
      const undo = new Error('undo')
      const attempt = transaction(db, async (tx) => {
        await statement.execute(tx)
        assert.deepEqual((await verified(tx)).get(ours), { position, what })
        throw undo
      })
      await assert.rejects(attempt, (error) => error === undo)
    }
    const changed = 'is not what was recorded'
    await spoil(
      sql`UPDATE audit_events SET record = replace(record, 'ada', 'bob') WHERE account_id = ${ours} AND position = 4`,
      4,
      changed,
    )
    await spoil(
      sql`UPDATE audit_events SET hash = 'x' WHERE account_id = ${ours} AND position = 1`,
      1,
      changed,
    )
    await spoil(
      sql`DELETE FROM audit_events WHERE account_id = ${ours} AND position = 5`,
      5,
      'is missing',
    )
    await spoil(
      sql`DELETE FROM audit_events WHERE account_id = ${ours} AND position > 8`,
      9,
      'is missing',
    )
    await spoil(sql`DELETE FROM audit_events WHERE account_id = ${ours}`, 1, 'is missing')
    await spoil(
      sql`UPDATE audit_events SET position = CASE position WHEN 2 THEN 1002 ELSE 1003 END
          WHERE account_id = ${ours} AND position IN (2, 3)`,
      2,
      'is missing',
    )
    const unlisted = 'is not listed as it was recorded'
    const third = sql`account_id = ${ours} AND position = 3`
    for (const change of [
      sql`action = 'DeleteImage'`,
      sql`outcome = 'Refused'`,
      sql`region = NULL`,
      sql`at_ms = at_ms + 1000`,
      sql`request_id = 'request-9'`,
      sql`event_id = 'event-x'`,
      sql`event_source = 'iam.amazonaws.com'`,
      sql`user_arn = NULL`,
      sql`user_name = 'bob'`,
      sql`access_key_id = 'AKIA2'`,
      sql`is_read_only = NULL`,
      sql`sequence = sequence + 100`,
    ]) {
      await spoil(sql`UPDATE audit_events SET ${change} WHERE ${third}`, 3, unlisted)
    }
    const ofThird = sql`sequence IN (SELECT sequence FROM audit_events WHERE ${third})`
    await spoil(sql`DELETE FROM audit_resources WHERE ${ofThird}`, 3, unlisted)
    await spoil(sql`UPDATE audit_resources SET type = 'x' WHERE ${ofThird}`, 3, unlisted)
    assert.equal((await verified(db)).get(ours), 10)
  })

  test(`what is forgotten because of its age breaks no trail, ${name}`, async (context) => {
    const { writes: db } = await open(context)
    await fill(db, 10)
    const [trail] = await listTrails(db)
    assert(trail)
    const before = new Date(1_700_000_000_000 + 3000)
    assert.equal(await findForgettable(db, trail, { before, eventsMax: 100 }), 3)
    assert.equal(await findForgettable(db, trail, { before, eventsMax: 4 }), 6)
    assert.equal(await forgetEvents(db, { accountId: ours, upTo: 6 }), 6)
    assert.deepEqual(await verified(db), new Map([[ours, 4]]))
    await fill(db, 1)
    assert.deepEqual(await verified(db), new Map([[ours, 5]]))
    await forgetEvents(db, { accountId: ours, upTo: 11 })
    assert.deepEqual(await verified(db), new Map([[ours, 0]]))
    await sql`UPDATE audit_trails SET first_hash = 'x', hash = 'y'`.execute(db)
    assert.deepEqual((await verified(db)).get(ours), {
      position: 12,
      what: 'is not the end of the trail',
    })
  })

  test(`events are found by what they say, the newest first, ${name}`, async (context) => {
    const { writes: db } = await open(context)
    await fill(db, 6)
    const find = async (more: object) => {
      const all = { key: undefined, value: '', from: undefined, to: undefined, before: undefined }
      const query = { accountId: ours, region: 'us-east-1', ...all, limit: 10, ...more }
      return (await lookUpEvents(db, query)).map(
        ({ at }) => (at.getTime() - 1_700_000_000_000) / 1000,
      )
    }
    assert.deepEqual(await find({}), [5, 4, 3, 2, 1, 0])
    assert.deepEqual(await find({ limit: 2 }), [5, 4])
    assert.deepEqual(await find({ key: 'action', value: 'RunInstances' }), [4, 2, 0])
    assert.deepEqual(await find({ key: 'is_read_only', value: 1 }), [5, 3, 1])
    assert.deepEqual(
      await find({ key: 'resource_name', value: 'ami-0123456789abcdef0', limit: 1 }),
      [5],
    )
    assert.deepEqual(await find({ key: 'resource_name', value: 'ami-00000000000000000' }), [])
    assert.deepEqual(
      await find({ key: 'user_name', value: 'ada', from: new Date(1_700_000_004_000) }),
      [5, 4],
    )
    assert.deepEqual(await find({ to: new Date(1_700_000_001_000) }), [1, 0])
    assert.deepEqual(await find({ accountId: theirs }), [])
    assert.deepEqual(await find({ region: 'eu-west-1' }), [])
  })
}

test('what cannot be written at once is written later, and what is given up is told', async (context) => {
  const { writes: db } = await databases.sqlite(context)
  const lost: number[] = []
  const newId = () => `event-${ids++}`
  const onLost = (count: number) => void lost.push(count)
  const log = new AuditLog({ db, newId, onLost, retryAfterMs: 10 })
  const rename = (from: string, to: string) =>
    sql`ALTER TABLE ${sql.table(from)} RENAME TO ${sql.table(to)}`.execute(db)
  await rename('audit_events', 'audit_away')
  log.add(event(1))
  log.add(event(3))
  const flushed = log.flush()
  await rename('audit_away', 'audit_events')
  log.add(event(5))
  await log.flush()
  await flushed
  assert.deepEqual(await verified(db), new Map([[ours, 3]]))
  await rename('audit_events', 'audit_away')
  log.add(event(7))
  await log.flush()
  await rename('audit_away', 'audit_events')
  log.add(event(9))
  await log.flush()
  assert.deepEqual(lost, [1])
  assert.deepEqual(await verified(db), new Map([[ours, 4]]))
})
