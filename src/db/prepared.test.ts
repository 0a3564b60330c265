import assert from 'node:assert/strict'
import { test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { transaction } from './database.ts'
import { prepared } from './prepared.ts'

for (const [name, start] of Object.entries(databases)) {
  test(`a query that is put together once has the values of each call (${name})`, async (context) => {
    const { writes, reads } = await start(context)
    let built = 0
    const put = prepared((db, setting: { readonly name: string; readonly value: string }) => {
      built++
      return db.insertInto('settings').values({ value: setting.value, name: setting.name })
    })
    const find = prepared((db, { names }: { readonly names: string }) =>
      db.selectFrom('settings').selectAll().where('name', '=', names),
    )
    await put(writes, { name: 'a', value: '1' })
    await transaction(writes, (tx) => put(tx, { name: 'b', value: '2' }))
    assert.equal(built, 1)
    const found = await Promise.all(['a', 'b', 'c'].map((names) => find(reads, { names })))
    assert.deepEqual(
      found.map(({ rows }) => rows[0]?.value),
      ['1', '2', undefined],
    )
    assert.equal((await find(writes, { names: 'b' })).rows.length, 1)
  })
}
