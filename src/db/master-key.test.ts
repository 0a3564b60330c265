import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  chmod,
  link,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { SealBroken } from '../lib/seal.ts'
import { openMasterKey } from './master-key.ts'

async function start(context: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'imago-master-'))
  context.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'master-key')
  const open = (sample?: { sealed: Uint8Array; context: string }) =>
    openMasterKey({ path, randomBytes, sample })
  return { folder, path, open }
}

const secret = Buffer.from('a secret')

test('a master key is made once, for its owner alone, and opens what it sealed', async (context) => {
  const { folder, path, open } = await start(context)
  const sealed = (await open()).seal(secret, 'here')
  assert.deepEqual(await readdir(folder), ['master-key'])
  const { mode, size } = await stat(path)
  assert.deepEqual([mode & 0o777, size], [0o600, 32])
  const key = await readFile(path)
  const again = await open({ sealed, context: 'here' })
  assert.deepEqual(await readFile(path), key)
  assert.deepEqual(Buffer.from(again.open(sealed, 'here')), secret)
  assert.throws(() => again.open(sealed, 'there'), SealBroken)
  assert.throws(() => again.open(sealed.subarray(1), 'here'), SealBroken)
  assert.throws(() => again.open(new Uint8Array(), 'here'), SealBroken)
  assert(!Buffer.from(sealed).includes(secret))
})

test('what a start that was cut off has left is no master key', async (context) => {
  const { folder, path, open } = await start(context)
  await writeFile(`${path}.tmp`, 'half', { mode: 0o644 })
  await open()
  assert.deepEqual(await readdir(folder), ['master-key'])
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  await link(path, `${path}.tmp`)
  await open()
  assert.deepEqual(await readdir(folder), ['master-key'])
})

test('a master key that others may read is refused', async (context) => {
  const { path, open } = await start(context)
  await open()
  for (const mode of [0o640, 0o604, 0o610]) {
    await chmod(path, mode)
    await assert.rejects(open(), { name: 'MasterKeyError', message: /Others.*chmod 600/ })
  }
})

test('a master key that is damaged, another, gone or no file is refused', async (context) => {
  const { path, open } = await start(context)
  const sample = { sealed: (await open()).seal(secret, 'here'), context: 'here' }
  const refused = (message: RegExp) =>
    assert.rejects(open(sample), { name: 'MasterKeyError', message })
  const key = await readFile(path)
  await writeFile(path, key.subarray(1))
  await refused(/damaged.*31 bytes/)
  await writeFile(path, randomBytes(32))
  await refused(/another/)
  await rm(path)
  await refused(/gone.*backup/)
  // Nothing is made in its place.
  await refused(/gone/)
  await symlink('/dev/zero', path)
  await refused(/Cannot read/)
  await rm(path)
  await writeFile(path, key, { mode: 0o600 })
  await open(sample)
})

test('a master key that is given needs no file, and is tried on what is sealed', async (context) => {
  const { folder, path } = await start(context)
  const open = (given: Uint8Array, sample?: { sealed: Uint8Array; context: string }) =>
    openMasterKey({ path, given, randomBytes, sample })
  const key = randomBytes(32)
  const sealed = (await open(key)).seal(secret, 'here')
  assert.deepEqual(await readdir(folder), [])
  const sample = { sealed, context: 'here' }
  assert.deepEqual(Buffer.from((await open(key, sample)).open(sealed, 'here')), secret)
  await assert.rejects(open(randomBytes(32), sample), {
    name: 'MasterKeyError',
    message: /command/,
  })
})
