/** The index of blocks behaves as a map, through growth, moves and dropped packs. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { BlockIndex, entryAt, entryCount, type Pack } from './block-index.ts'
import { encodeIndex } from './pack-format.ts'

const keyNumber = (number: number) => createHash('sha256').update(`${number}`).digest('latin1')

function packOf(name: string, numbers: readonly number[]): Pack {
  const entries = numbers.map((number, at) => ({ key: keyNumber(number), offset: at, length: 1 }))
  return { name, sizeBytes: 0, sealedAtMs: 0, index: encodeIndex(entries) }
}

test('a block is found where it was put first, or moved to, until its pack is dropped', () => {
  const anyPacks = fc.array(
    fc.record({
      numbers: fc.uniqueArray(fc.nat(300), { maxLength: 200 }),
      moved: fc.boolean(),
      drop: fc.option(fc.nat(9)),
    }),
    { maxLength: 30 },
  )
  fc.assert(
    fc.property(anyPacks, (steps) => {
      const index = new BlockIndex()
      const model = new Map<string, Pack>()
      for (const [at, { numbers, moved, drop }] of steps.entries()) {
        const pack = packOf(`${at}`, numbers)
        index.add(pack, moved)
        for (const number of numbers) {
          if (moved || !model.has(keyNumber(number))) model.set(keyNumber(number), pack)
        }
        const dropped = index.packs()[drop ?? -1]
        if (!dropped) continue
        index.drop(dropped)
        for (const [key, holder] of model) if (holder === dropped) model.delete(key)
      }
      assert.equal(index.size, model.size)
      for (let number = 0; number <= 300; number++) {
        const found = index.find(keyNumber(number))
        assert.equal(found?.pack, model.get(keyNumber(number)))
        if (found) assert.equal(entryAt(found.pack, found.position).key, keyNumber(number))
      }
    }),
    { numRuns: 50 },
  )
})

test('many thousand blocks are found', () => {
  const index = new BlockIndex()
  const packs = Array.from({ length: 10 }, (_, at) =>
    packOf(
      `${at}`,
      Array.from({ length: 4000 }, (_unused, position) => at * 4000 + position),
    ),
  )
  for (const pack of packs) index.add(pack)
  assert.equal(index.size, 40_000)
  for (const pack of packs) {
    for (let at = 0; at < entryCount(pack); at++) {
      assert.equal(index.find(entryAt(pack, at).key)?.pack, pack)
    }
  }
  for (const pack of packs) index.drop(pack)
  assert.equal(index.size, 0)
})
