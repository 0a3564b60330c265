/** Bytes that rot, anywhere in a store: it is noticed, told by name, and repaired where there is a copy. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Digest } from '../lib/digest.ts'
import type { BlockStore } from './block-store.ts'
import { CorruptBlock, CorruptManifest, MissingBlock } from './errors.ts'
import { blocksOf, encodeManifest } from './manifest.ts'
import type { Copies } from './repair.ts'
import { PowerCut, SimDisk } from './sim-disk.ts'
import {
  blockNumber,
  clock,
  digestNumber,
  findingsOf,
  keyNumber,
  openStore,
  readAll,
  saveNumbers,
} from './testing.ts'

const disks = [
  [1, 2, 3, 0, 3],
  [2, 4, 5],
  [6, 1],
] as const

/** A store with three disks in three packs, of which the second has blocks of the first, too. */
async function makeStore(now: () => Date) {
  const disk = new SimDisk(now)
  const store = await openStore(disk, now)
  const live: Digest[] = []
  const manifests = new Map<Digest, Buffer>()
  for (const numbers of disks) {
    const digest = await saveNumbers(store, numbers)
    live.push(digest)
    manifests.set(digest, encodeManifest(await store.readManifest(digest)))
  }
  await store.close()
  /** Everything there is, and something else before. */
  const copies: Copies = {
    async *findBlocks(wanted) {
      yield blockNumber(99)
      for (const digest of wanted.keys()) {
        for (let number = 1; number <= 6; number++) {
          if (digestNumber(number) === digest) yield blockNumber(number)
        }
      }
    },
    async *findManifest(digest) {
      yield Buffer.from('no manifest')
      const found = manifests.get(digest)
      if (found) yield found
    },
  }
  return { disk, live, copies }
}

const noCopies: Copies = {
  async *findBlocks() {},
  async *findManifest() {},
}

const isNamed = (error: unknown): boolean =>
  error instanceof CorruptBlock || error instanceof MissingBlock || error instanceof CorruptManifest

/** Which disks can be read. The others have to say what they lack; no other bytes are ever read. */
async function readable(store: BlockStore, live: readonly Digest[]): Promise<readonly Digest[]> {
  const whole: Digest[] = []
  for (const [at, digest] of live.entries()) {
    try {
      const blocks = new Map(blocksOf(await store.readManifest(digest)))
      for (const [index, number] of (disks[at] ?? []).entries()) {
        assert.equal(blocks.get(index), number === 0 ? undefined : digestNumber(number))
        if (number === 0) continue
        assert(Buffer.from(blockNumber(number)).equals(await store.readBlock(digestNumber(number))))
      }
      whole.push(digest)
    } catch (error) {
      if (!isNamed(error)) throw error
    }
  }
  return whole
}

const anyFlips = fc.array(
  fc.record({
    file: fc.nat(5),
    at: fc.double({ min: 0, max: 0.9999999, noNaN: true }),
    bits: fc.integer({ min: 1, max: 255 }),
  }),
  { minLength: 1, maxLength: 3 },
)

function flip(disk: SimDisk, flips: typeof anyFlips extends fc.Arbitrary<infer T> ? T : never) {
  const names = [...disk.files().keys()].toSorted()
  for (const { file, at, bits } of flips) {
    const name = names[file % names.length] ?? ''
    disk.damage(name, Math.floor(at * disk.sizeOf(name)), bits)
  }
}

test('whatever byte rots is found, never read, and repaired from a copy', async () => {
  await fc.assert(
    fc.asyncProperty(anyFlips, fc.boolean(), async (flips, hasCopies) => {
      const now = clock()
      const { disk, live, copies } = await makeStore(now)
      const before = disk.files()
      flip(disk, flips)
      const isChanged = [...disk.files()].some(([name, digest]) => before.get(name) !== digest)
      const store = await openStore(disk, now)
      const whole = await readable(store, live)
      const found = await findingsOf(store, live)
      // Of a zstd frame's header there are bits that mean nothing; else a change is always seen.
      if (!isChanged || whole.length < live.length) assert.equal(found.length > 0, isChanged)
      const outcome = await store.repair({ live, copies: hasCopies ? copies : noCopies })
      const after = await readable(store, live)
      const left = await findingsOf(store, live)
      const { lostBlocks, lostManifests } = outcome
      if (hasCopies) assert.deepEqual([lostBlocks, lostManifests, left], [[], [], []])
      assert.deepEqual(
        live.filter((digest) => !after.includes(digest)),
        live.filter(
          (digest) =>
            lostManifests.includes(digest) ||
            lostBlocks.some(({ uses }) => uses.some(({ manifest }) => manifest === digest)),
        ),
      )
      if (after.length === live.length) assert.deepEqual(left, [])
      for (const digest of whole) assert(after.includes(digest))
      // It is the same when the store is opened again, and there is nothing more to repair.
      await store.close()
      const again = await openStore(disk, now)
      assert.deepEqual(await readable(again, live), after)
      assert.deepEqual(await findingsOf(again, live), left)
      const second = await again.repair({ live, copies })
      assert.deepEqual([second.lostBlocks, second.lostManifests], [[], []])
      assert.deepEqual(await findingsOf(again, live), [])
      await again.collectGarbage({ live: async () => live })
      for (const digest of live) await readAll(again, digest)
    }),
    { numRuns: 24 },
  )
})

test('the blocks of a pack without an index are found in the pack itself', async () => {
  const now = clock()
  const { disk, live } = await makeStore(now)
  const packs = [...disk.files().keys()].filter((name) => name.endsWith('.pack'))
  for (const name of packs) disk.damage(name, disk.sizeOf(name) - 60)
  const store = await openStore(disk, now)
  assert.deepEqual(await readable(store, live), [])
  const { blocks, packsReplaced } = await store.repair({ live, copies: noCopies })
  assert.deepEqual([...packsReplaced].toSorted(), packs.toSorted())
  assert.deepEqual(blocks.toSorted(), [1, 2, 3, 4, 5, 6].map(digestNumber).toSorted())
  assert.deepEqual(await readable(store, live), live)
  assert.deepEqual(await findingsOf(store, live), [])
})

test('a block that two packs have is repaired from the other', async () => {
  const now = clock()
  const disk = new SimDisk(now)
  const store = await openStore(disk, now)
  const live = [await saveNumbers(store, [1, 2])]
  const other = new SimDisk(now)
  const twin = await openStore(other, now)
  await saveNumbers(twin, [3])
  await saveNumbers(twin, [2, 4])
  disk.copyFrom(other, 'packs/0000000002.pack')
  disk.damage('packs/0000000002.pack', 20)
  const damaged = await openStore(disk, now)
  assert.deepEqual(
    (await findingsOf(damaged, live)).map(
      (found) => found.kind === 'damaged block' && found.digest,
    ),
    [digestNumber(2)],
  )
  await assert.rejects(damaged.readBlock(digestNumber(2)), CorruptBlock)
  const { blocks, lostBlocks } = await damaged.repair({ live, copies: noCopies })
  assert.deepEqual([blocks, lostBlocks], [[digestNumber(2)], []])
  await readAll(damaged, live[0] ?? digestNumber(0))
  assert.deepEqual(await findingsOf(damaged, live), [])
})

test('a sealed block is found damaged without its key, and repaired from another pack', async () => {
  const cipher = keyNumber(1)
  const now = clock()
  const disk = new SimDisk(now)
  const live = [await saveNumbers(await openStore(disk, now), [1, 2], undefined, cipher)]
  const other = new SimDisk(now)
  const twin = await openStore(other, now)
  await saveNumbers(twin, [3])
  await saveNumbers(twin, [2, 1], undefined, cipher)
  await fc.assert(
    fc.asyncProperty(anyFlips, async ([change]) => {
      assert(change)
      const both = disk.restart(() => true)
      both.copyFrom(other, 'packs/0000000002.pack')
      // The newer pack is the one that is read.
      const name = 'packs/0000000002.pack'
      both.damage(name, Math.floor(change.at * both.sizeOf(name)), change.bits)
      const store = await openStore(both, now)
      assert.notDeepEqual(await findingsOf(store, live), [])
      const { lostBlocks, lostManifests } = await store.repair({ live, copies: noCopies })
      assert.deepEqual([lostBlocks, lostManifests], [[], []])
      assert.deepEqual(await findingsOf(store, live), [])
      await readAll(store, live[0] ?? digestNumber(0))
    }),
    { numRuns: 25 },
  )
})

test('a repair that is cut off at any moment has lost nothing, and the next one ends it', async () => {
  const flips = [
    { file: 0, at: 0.1, bits: 1 },
    { file: 3, at: 0.3, bits: 4 },
    { file: 5, at: 0.99, bits: 8 },
  ]
  for (let operations = 0, isCut = true; isCut; operations += 3) {
    const now = clock()
    const { disk, live, copies } = await makeStore(now)
    flip(disk, flips)
    const whole = await readable(await openStore(disk, now), live)
    disk.cutPowerAfter(operations)
    isCut = await (async () => {
      const store = await openStore(disk, now)
      await store.repair({ live, copies })
      return false
    })().catch((error: unknown) => {
      if (error instanceof PowerCut) return true
      throw error
    })
    for (const survives of [true, false]) {
      const store = await openStore(
        disk.restart(() => survives),
        now,
      )
      const still = await readable(store, live)
      for (const digest of whole) assert(still.includes(digest))
      await store.repair({ live, copies })
      assert.deepEqual(await readable(store, live), live)
      assert.deepEqual(await findingsOf(store, live), [])
    }
  }
})
