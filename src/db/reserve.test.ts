import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Reserve } from './reserve.ts'

test('room is kept until it is given away, and then again', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'imago-reserve-'))
  context.after(() => rm(folder, { recursive: true }))
  const reserve = new Reserve(folder)
  await reserve.release()
  await reserve.keep()
  await reserve.keep()
  assert.deepEqual(await readdir(folder), ['reserve'])
  const { size, blocks } = await stat(join(folder, 'reserve'))
  assert(size > 0 && blocks * 512 >= size)
  await reserve.release()
  assert.deepEqual(await readdir(folder), [])
  await reserve.keep()
  assert.equal((await stat(join(folder, 'reserve'))).size, size)
})
