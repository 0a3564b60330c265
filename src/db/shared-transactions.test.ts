import assert from 'node:assert/strict'
import { test } from 'node:test'
import { databases } from '../../test/databases.ts'
import type { Tx } from './database.ts'
import { SharedTransactions } from './shared-transactions.ts'

for (const [name, start] of Object.entries(databases)) {
  test(`what one of many throws takes back its own change only (${name})`, async (context) => {
    const db = await start(context)
    const { reads } = db
    const shared = new SharedTransactions(db)
    const put = (value: string) => async (tx: Tx) => {
      await tx.insertInto('settings').values({ name: value, value }).execute()
      if (value.startsWith('bad')) throw new Error(value)
      return value
    }
    const values = ['a', 'bad 1', 'b', 'a', 'bad 2', 'c']
    const outcomes = await Promise.allSettled(values.map((value) => shared.run(put(value))))
    // The second `a` breaks a rule of the database itself.
    assert.deepEqual(
      outcomes.map(({ status }) => status === 'fulfilled'),
      [true, false, true, false, false, true],
    )
    assert.equal(await shared.run(put('d')), 'd')
    const rows = await reads.selectFrom('settings').select('name').orderBy('name').execute()
    assert.deepEqual(
      rows.map((row) => row.name),
      ['a', 'b', 'c', 'd'],
    )
  })
}
