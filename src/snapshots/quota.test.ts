import assert from 'node:assert/strict'
import { test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { transaction } from '../db/database.ts'
import { checkSnapshotQuotas } from './quota.ts'
import type { PendingSnapshot } from './snapshot.ts'
import { failSnapshot, insertSnapshot } from './store.ts'
import { aPendingSnapshot } from './testing.ts'
import { pendingSnapshotsMax } from './unknowns.ts'

const accountId = '111111111111'
const region = 'us-east-1'
const second = 1000

for (const name of ['sqlite', 'postgres'] satisfies (keyof typeof databases)[]) {
  test(`a volume has few snapshots under way, and apart, on ${name}`, async (context) => {
    const { writes } = await databases[name](context)
    const pend = (number: number, changes: Partial<PendingSnapshot> = {}) =>
      transaction(writes, (tx) =>
        insertSnapshot(
          tx,
          aPendingSnapshot(number, {
            volumeId: 'vol-00000001',
            startedAt: new Date(number * 15 * second),
            ...changes,
          }),
        ),
      )
    const check = (
      atMs: number,
      { id = 'vol-00000001', type = 'gp3' as 'gp3' | 'st1', max = 1000 } = {},
    ) =>
      transaction(writes, (tx) =>
        checkSnapshotQuotas(
          tx,
          {
            caller: { accountId },
            region,
            now: new Date(atMs),
            readers: { snapshotsApartMs: 15 * second },
          },
          [{ id: id as 'vol-00000001', type }],
          max,
        ),
      )
    const tooOften = { code: 'SnapshotCreationPerVolumeRateExceeded' }
    const tooManyAtOnce = { code: 'ConcurrentSnapshotLimitExceeded' }

    await check(0)
    await pend(0)
    await assert.rejects(check(15 * second - 1), tooOften)
    await check(15 * second)
    await check(0, { id: 'vol-00000002' })
    // A slow disk carries one; what has ended is not in the way.
    await assert.rejects(check(60 * second, { type: 'st1' }), tooManyAtOnce)
    for (const number of [1, 2, 3, 4]) await pend(number)
    await assert.rejects(check(600 * second), tooManyAtOnce)
    const broken = { id: 'snap-00000000000000002', message: 'it broke' } as const
    await transaction(writes, (tx) => failSnapshot(tx, broken))
    await check(600 * second)

    await assert.rejects(check(600 * second, { max: 5 }), { code: 'SnapshotLimitExceeded' })
    await check(600 * second, { max: 6 })
    for (let number = 5; number < pendingSnapshotsMax + 1; number++) {
      await pend(number, { volumeId: `vol-${String(number).padStart(8, '0')}` as 'vol-00000001' })
    }
    const free = { id: 'vol-99999999' }
    await assert.rejects(check(600 * second, free), { code: 'PendingSnapshotLimitExceeded' })
  })
}
