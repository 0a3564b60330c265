import assert from 'node:assert/strict'
import { test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { newId, putInstance } from '../../test/rows.ts'
import { transaction } from '../db/database.ts'
import { listTags, putTags } from '../tags/store.ts'
import { usageReportReconciler } from './reconcile.ts'
import { expiryOf, type UsageReport } from './report.ts'
import { findReport, insertReport, listEntries, listReports } from './store.ts'

const owner = '111111111111'
const yours = '222222222222'
const theirs = '333333333333'
const region = 'us-east-1'
const imageId = 'ami-00000000000000001'
const createdAt = new Date(1_000_000)

function report(changes: Partial<UsageReport> = {}): UsageReport {
  return {
    id: newId('image-usage-report'),
    accountId: owner,
    region,
    imageId,
    scopes: [{ type: 'ec2:Instance' }, { type: 'ec2:LaunchTemplate', versionDepth: 3 }],
    accountIds: [],
    state: 'pending',
    stateReason: undefined,
    createdAt,
    ...changes,
  }
}

for (const [name, start] of Object.entries(databases)) {
  test(`a report counts the instances of others, and goes in the end (${name})`, async (context) => {
    const db = await start(context)
    for (const accountId of [owner, yours, yours, theirs]) {
      await putInstance(db, { accountId, region }, { imageId })
    }
    await putInstance(db, { accountId: theirs, region }, { imageId, state: 'terminated' })
    await putInstance(db, { accountId: theirs, region }, { imageId: 'ami-00000002' })
    const all = report()
    const some = report({ accountIds: [theirs] })
    const none = report({ scopes: [{ type: 'ec2:LaunchTemplate' }] })
    await transaction(db.writes, async (tx) => {
      for (const one of [all, some, none]) await insertReport(tx, one)
      const resource = { resourceType: 'image-usage-report', resourceId: all.id } as const
      const tags = [{ key: 'a', value: 'b' }]
      await putTags(tx, { accountId: owner, region, ...resource, tags })
    })
    let now = new Date(2_000_000)
    const reconciler = usageReportReconciler({ db, now: () => now })
    const settle = async () => {
      for (const id of await reconciler.due()) await reconciler.step(id)
    }
    assert.equal((await reconciler.due()).length, 3)
    await settle()
    assert.deepEqual(await reconciler.due(), [])
    assert.deepEqual(await findReport(db.reads, all.id), { ...all, state: 'available' })
    const counts = async (one: UsageReport) =>
      (await listEntries(db.reads, [one.id])).map(({ accountId, count }) => [accountId, count])
    assert.deepEqual(await counts(all), [
      [yours, 2],
      [theirs, 1],
    ])
    assert.deepEqual(await counts(some), [[theirs, 1]])
    assert.deepEqual(await counts(none), [])

    now = new Date(expiryOf(all).getTime() + 1)
    await settle()
    assert.deepEqual(await listReports(db.reads, { accountId: owner, region }), [])
    assert.deepEqual(await listEntries(db.reads, [all.id]), [])
    assert.equal((await listTags(db.reads, { accountId: owner })).size, 0)
  })
}
