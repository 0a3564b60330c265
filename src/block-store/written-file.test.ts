import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { Pages, pieceSizeBytes } from './pages.ts'
import { temporaryFolder } from './testing.ts'
import { WrittenFile } from './written-file.ts'

/** Of which it is known how many pieces are out. */
class CountedPages extends Pages {
  out = 0

  override take(): Uint8Array {
    this.out++
    return super.take()
  }

  override give(piece: Uint8Array): void {
    this.out--
    super.give(piece)
  }
}

test('a file has what was appended to it, in that order', async (context) => {
  const folder = await temporaryFolder(context)
  const pages = new CountedPages()
  const lengths = fc.array(
    fc.oneof(fc.nat(5000), fc.nat(3 * pieceSizeBytes), fc.constant(pieceSizeBytes)),
    { maxLength: 6 },
  )
  let count = 0
  await fc.assert(
    fc.asyncProperty(lengths, fc.nat(255), async (parts, seed) => {
      const path = join(folder, String(count++))
      const all = Buffer.from(Array.from({ length: 4099 }, (_, index) => (index * 31 + seed) % 256))
      const bytes = parts.map((length) => Buffer.alloc(length, all))
      const file = await WrittenFile.create(path, pages)
      await Promise.all(bytes.map((each) => file.append(each)))
      await file.sync()
      await file.close()
      assert.equal(pages.out, 0)
      assert((await readFile(path)).equals(Buffer.concat(bytes)))
    }),
    { numRuns: 30 },
  )
})

test('where the disk under a file is full, it says so, again and again', async () => {
  const pages = new CountedPages()
  const file = await WrittenFile.create('/dev/full', pages)
  const full = { code: 'ENOSPC' }
  await assert.rejects(file.append(Buffer.alloc(2 * pieceSizeBytes, 1)), full)
  await assert.rejects(file.append(Buffer.alloc(pieceSizeBytes, 1)), full)
  await assert.rejects(file.sync(), full)
  await file.close()
  assert.equal(pages.out, 0)
})

test('a file that is not what was appended to it takes no more', async () => {
  // It takes everything, and reads as zeros.
  const pages = new CountedPages()
  const file = await WrittenFile.create('/dev/zero', pages)
  await file.append(Buffer.alloc(pieceSizeBytes, 1))
  const not = { code: 'EIO', message: /does not read back as it was written/ }
  await assert.rejects(file.append(Buffer.alloc(1, 1)), not)
  await assert.rejects(file.sync(), not)
  await file.close()
  assert.equal(pages.out, 0)
})
