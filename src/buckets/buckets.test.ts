import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { makePages } from '../block-store/pages.ts'
import { Buckets, NoSuchBucket, ObjectExists, TruncatedObject } from './buckets.ts'
import { isBucketName, isObjectKey } from './names.ts'

const place = { accountId: '123456789012', region: 'us-east-1', bucket: 'images', key: 'a/b.bin' }
const bytes = Buffer.from('what an object holds')

async function start(context: TestContext) {
  const root = await mkdtemp(join(tmpdir(), 'imago-buckets-'))
  context.after(() => rm(root, { recursive: true, force: true }))
  const folder = join(root, place.accountId, place.region, place.bucket)
  await mkdir(folder, { recursive: true })
  return { buckets: new Buckets(root), folder }
}

test('an object is there when it is whole, and none takes the place of another', async (context) => {
  const { buckets, folder } = await start(context)
  assert.equal(await buckets.hasBucket(place), true)
  assert.equal(await buckets.hasBucket({ ...place, region: 'us-west-2' }), false)
  assert.equal(await buckets.hasObject(place), false)
  await buckets.put(place, 'one', async (append) => {
    await append(bytes.subarray(0, 4))
    assert.equal(await buckets.hasObject(place), false)
    await append(bytes.subarray(4))
  })
  assert.equal(await buckets.hasObject(place), true)
  assert.deepEqual(await readFile(join(folder, place.key)), bytes)
  await assert.rejects(
    buckets.put(place, 'two', (append) => append(Buffer.from('another'))),
    ObjectExists,
  )
  await assert.rejects(
    buckets.put({ ...place, key: 'c' }, 'three', async (append) => {
      await append(bytes)
      throw new Error('cut off')
    }),
    /cut off/,
  )
  assert.deepEqual(await readdir(join(folder, 'a')), ['b.bin'])
  assert.deepEqual(await readdir(folder), ['a'])
  const nowhere = { ...place, bucket: 'not-there' }
  await assert.rejects(
    buckets.put(nowhere, 'four', async () => {}),
    NoSuchBucket,
  )
})

test('an object keeps its bytes in order, however they come, and is for its owner alone', async (context) => {
  const { buckets, folder } = await start(context)
  const large = randomBytes(1_500_001)
  await buckets.put(place, 'one', async (append) => {
    const ends = [1, 5, 700_000, 700_000, 1_300_000, large.length]
    await Promise.all(
      ends.map(async (end, position) => {
        const piece = Buffer.from(large.subarray(ends[position - 1] ?? 0, end))
        const appended = append(piece)
        piece.fill(0) // It was copied.
        await appended
      }),
    )
  })
  assert(large.equals(await readFile(join(folder, place.key))))
  assert.equal((await stat(join(folder, place.key))).mode & 0o777, 0o600)
  await using object = await buckets.open(place)
  assert(object)
  assert((await object.read(699_500, 1000)).equals(large.subarray(699_500, 700_500)))
  const pages = makePages(1024 * 1024)
  const fill = async (offset: number) => pages.subarray(0, await object.fill(pages, offset))
  assert(large.subarray(8192, 8192 + pages.length).equals(await fill(8192)))
  const end = 1_499_136
  assert(large.subarray(end).equals(await fill(end)))
  assert.equal((await fill(end + 4096)).length, 0)
  await truncate(join(folder, place.key), large.length - 1)
  await assert.rejects(fill(end), TruncatedObject)
})

test('an object is read as far as it goes', async (context) => {
  const { buckets, folder } = await start(context)
  await writeFile(join(folder, 'x'), bytes)
  await using object = await buckets.open({ ...place, key: 'x' })
  assert(object)
  assert.equal(object.sizeBytes, bytes.length)
  assert.equal((await object.read(5, 2)).toString(), 'an')
  await assert.rejects(object.read(bytes.length - 1, 2), TruncatedObject)
  await assert.rejects(object.read(0, 2 ** 32), TruncatedObject)
  for (const key of ['y', 'x/y']) assert.equal(await buckets.open({ ...place, key }), undefined)
  await mkdir(join(folder, 'folder'))
  assert.equal(await buckets.open({ ...place, key: 'folder' }), undefined)
})

test('all objects of all buckets are listed, and nothing else', async (context) => {
  const { buckets, folder } = await start(context)
  const list = async () => (await Array.fromAsync(buckets.listAll())).map(({ key }) => key)
  assert.deepEqual(await list(), [])
  await buckets.put(place, 'one', (append) => append(bytes))
  await writeFile(join(folder, '.imago-half'), bytes)
  await writeFile(join(folder, '..', 'no bucket'), bytes)
  await mkdir(join(folder, 'empty'))
  await symlink(join(folder, 'a'), join(folder, '..', 'linked'))
  await symlink(folder, join(folder, 'round'))
  const found = await Array.fromAsync(buckets.listAll())
  const own = found.filter(({ key }) => !key.startsWith('round/'))
  assert.deepEqual(own, [place, { ...place, bucket: 'linked', key: 'b.bin' }])
  assert.deepEqual(await Array.fromAsync(new Buckets(join(folder, 'not-there')).listAll()), [])
})

test('names are as S3 has them', () => {
  for (const name of ['abc', 'my-images', 'a.b.c', '1a2', 'a'.repeat(63)]) {
    assert(isBucketName(name), name)
  }
  const wrong = ['', 'ab', 'A-b', '-ab', 'ab-', 'a..b', '192.168.0.1', 'a_b', '..', 'a/b', 'ab\n']
  for (const name of [...wrong, 'a'.repeat(64)]) assert(!isBucketName(name), name)
})

test('no key leads out of its bucket', () => {
  for (const key of ['ami-1.bin', 'a/b/c', 'ü', '.hidden', 'a b', '...'])
    assert(isObjectKey(key), key)
  const wrong = ['', '/a', 'a/', 'a//b', '.', '..', '../a', 'a/../b', 'a/./b', 'a\0b', '.imago-x']
  for (const key of [...wrong, 'a'.repeat(201), '\ud800', 'ab/'.repeat(400) + 'c']) {
    assert(!isObjectKey(key), key)
  }
  const part = fc.constantFrom('.', '..', '/', 'a', '\0', '\\', '~', '%2e', '.imago-', ' ')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const key = parts.join('')
      if (isObjectKey(key)) assert(resolve('/bucket', key).startsWith('/bucket/'), key)
    }),
  )
})
