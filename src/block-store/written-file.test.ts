import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { Pages, pieceSizeBytes } from './pages.ts'
import { temporaryFolder } from './testing.ts'
import { WrittenFile } from './written-file.ts'

test('a file has what was appended to it, in that order, and reads back so', async (context) => {
  const folder = await temporaryFolder(context)
  const pages = new Pages()
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
      const back: Buffer[] = []
      const synced = file.sync()
      for await (const piece of file.readBack()) back.push(Buffer.from(piece))
      await synced
      await file.close()
      const whole = Buffer.concat(bytes)
      assert(Buffer.concat(back).equals(whole))
      assert((await readFile(path)).equals(whole))
    }),
    { numRuns: 30 },
  )
})

test('where the disk under a file is full, it says so, again and again', async () => {
  const file = await WrittenFile.create('/dev/full', new Pages())
  const full = { code: 'ENOSPC' }
  await assert.rejects(file.append(Buffer.alloc(2 * pieceSizeBytes, 1)), full)
  await assert.rejects(file.append(Buffer.alloc(pieceSizeBytes, 1)), full)
  await assert.rejects(file.sync(), full)
  await file.close()
})
