/** Packs that blocks left that came singly become one, and no promise is broken on the way. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import type { Digest } from '../lib/digest.ts'
import { type BlockKey, digestOfKey, keyOfBytes, keySizeBytes } from './block.ts'
import type { BlockStore } from './block-store.ts'
import { openDisk } from './disk.ts'
import { PackWriter } from './pack-writer.ts'
import { packNamed } from './sealed-block.ts'
import { PowerCut, SimDisk } from './sim-disk.ts'
import {
  blockNumber,
  clock,
  findingsOf,
  keyNumber,
  openStore,
  readAll,
  saveNumbers,
  temporaryFolder,
} from './testing.ts'

const disks = [1, 2, 3, 4, 5, 6, 7, 8, 9]

async function saveSingly(store: BlockStore): Promise<Digest[]> {
  const live: Digest[] = []
  for (const number of disks) live.push(await saveNumbers(store, [number]))
  return live
}

const collect = (store: BlockStore, live: readonly Digest[]) =>
  store.collectGarbage({ live: async () => live })

test('small packs are merged into one, and their blocks stay', async () => {
  const now = clock()
  const disk = new SimDisk(now)
  const store = await openStore(disk, now)
  const live = await saveSingly(store)
  assert.equal(store.usage().packs, disks.length)
  const merged = await collect(store, live)
  const { packs, blocks } = store.usage()
  assert.deepEqual({ packs, blocks }, { packs: 1, blocks: disks.length })
  assert.equal(merged.blocksDeleted, 0)
  for (const each of [store, await openStore(disk, now)]) {
    for (const manifest of live) await readAll(each, manifest)
  }
  const files = disk.files()
  await collect(store, live)
  assert.deepEqual(disk.files(), files, 'there was something left to merge')
})

test('a few small packs are left alone, as more may come', async () => {
  const now = clock()
  const store = await openStore(new SimDisk(now), now)
  const live = (await saveSingly(store)).slice(0, 7)
  await collect(store, live)
  assert.equal(store.usage().packs, 7)
})

test('a small pack with a damaged block stays, and the others are merged', async () => {
  const now = clock()
  const disk = new SimDisk(now)
  const store = await openStore(disk, now)
  const live = await saveSingly(store)
  disk.damage('packs/0000000004.pack', 20)
  const { packsDamaged } = await collect(store, live)
  assert.deepEqual(packsDamaged, ['0000000004.pack'])
  assert.equal(store.usage().packs, 2)
  assert.equal((await findingsOf(store, live)).length, 1)
})

test('of many tiny blocks, no more are merged than a pack can have', async (context) => {
  const now = () => new Date(2 ** 42)
  const folder = await temporaryFolder(context)
  const disk = await openDisk(folder)
  const cipher = keyNumber(1)
  const some = packNamed('k'.repeat(keySizeBytes), blockNumber(1), cipher)
  const live: Digest[] = []
  for (const [number, count] of [3000, 1100].entries()) {
    const writer = new PackWriter({ disk, number: `000000000${number}` })
    const keys = Array.from({ length: count }, (_, at) =>
      keyOfBytes(Buffer.from(`${number} ${at}`)),
    )
    await writer.append(
      keys,
      keys.map((key) => renamed(some, key)),
    )
    await writer.seal(now().getTime())
    live.push(...keys.slice(1).map(digestOfKey))
  }
  const store = await openStore(disk, now)
  await store.collectGarbage({
    live: async () => [],
    blocks: async function* () {
      yield* live
    },
  })
  const { packs, blocks } = store.usage()
  assert.deepEqual({ packs, blocks }, { packs: 2, blocks: live.length })
  assert.deepEqual(await findingsOf(store), [])
})

/** A sealed block under another name: whole, as far as anybody can tell who lacks its key. */
function renamed(sealed: Uint8Array, key: BlockKey): Uint8Array {
  const block = Buffer.from(sealed)
  block.write(key, 16, 'latin1')
  block.writeUInt32LE(crc32(block.subarray(16)), 12)
  return block
}

test('a power cut at any moment of a merge loses nothing', async () => {
  let isWhole = false
  for (let operations = 0; !isWhole; operations++) {
    for (const survives of [() => false, alternately()]) {
      const now = clock()
      const disk = new SimDisk(now)
      const store = await openStore(disk, now)
      const live = await saveSingly(store)
      disk.cutPowerAfter(operations)
      const cut = await collect(store, live).then(
        () => false,
        (error: unknown) => {
          if (error instanceof PowerCut) return true
          throw error
        },
      )
      isWhole = !cut
      const after = await openStore(disk.restart(survives), now)
      for (const manifest of live) await readAll(after, manifest)
      assert.deepEqual(await findingsOf(after, live), [])
      await collect(after, live)
      assert.equal(after.usage().blocks, disks.length)
      assert(after.usage().packs < 8)
      assert.deepEqual(await findingsOf(after, live), [])
    }
  }
})

function alternately(): () => boolean {
  let isNext = false
  return () => (isNext = !isNext)
}
