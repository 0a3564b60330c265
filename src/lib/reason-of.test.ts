import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { reasonOf } from './reason-of.ts'

test('a reason is told without the files of the host', async () => {
  const error: unknown = await readFile('/not/there').catch((thrown: unknown) => thrown)
  assert.equal(reasonOf(error), 'An internal error has occurred (ENOENT)')
  // From another thread it comes with its code alone.
  const fromThread = Object.assign(new Error('EIO: i/o error, open /a/b'), { code: 'EIO' })
  assert.equal(reasonOf(fromThread), 'An internal error has occurred (EIO)')
  const refused = Object.assign(new Error('it is too large'), { code: 'VolumeLimitExceeded' })
  assert.equal(reasonOf(refused), 'it is too large')
  assert.equal(reasonOf('it'), 'it')
})
