/** Deleting frees exactly what nobody names, whatever else goes on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Digest } from '../lib/digest.ts'
import { keyOf, packBlock } from './block.ts'
import { BlockStore } from './block-store.ts'
import { CorruptManifest } from './errors.ts'
import { anyHistory, pauseOf, play } from './history.ts'
import { blocksOf, manifestOf } from './manifest.ts'
import { SimDisk } from './sim-disk.ts'
import { blockNumber, clock, digestNumber, findingsOf, openStore } from './testing.ts'
import { openDisk, readAll, saveNumbers } from './testing.ts'

const anyDelays = fc.array(fc.nat(12), { minLength: 1, maxLength: 30 })

test('garbage collection takes nothing from uploads and readers, and all else', async () => {
  await fc.assert(
    fc.asyncProperty(anyHistory, anyDelays, async (history, delays) => {
      const now = clock()
      const disk = new SimDisk(now, pauseOf(delays))
      const store = await openStore(disk, now)
      const live = new Set<Digest>()
      await play(store, history, live)
      await store.collectGarbage({ live: async () => live })

      const named = new Set<Digest>()
      for (const manifest of live) {
        await readAll(store, manifest)
        const { content } = await openDisk(store, manifest)
        for (const [, digest] of blocksOf(content)) named.add(digest)
      }
      const { blocks, manifests, bytes } = store.usage()
      assert.deepEqual({ blocks, manifests }, { blocks: named.size, manifests: live.size })
      const again = await openStore(disk, now)
      assert.deepEqual(await findingsOf(again, live), [])
      assert.equal(again.usage().bytes, bytes)
      await again.collectGarbage({ live: async () => live })
      assert.equal(again.usage().bytes, bytes, 'there was something left to free')
    }),
    { numRuns: 200 },
  )
})

test('deleting a disk frees the blocks that no other disk has', async () => {
  const now = clock()
  const disk = new SimDisk(now)
  const store = await openStore(disk, now)
  const kept = await saveNumbers(store, [1, 2])
  await saveNumbers(store, [2, 3, 4])
  const collected = await store.collectGarbage({ live: async () => [kept] })
  assert.equal(collected.manifestsDeleted, 1)
  assert.equal(collected.blocksDeleted, 2)
  assert.equal(store.usage().blocks, 2)
  await readAll(store, kept)
})

test('a block moves into a new pack with its neighbours dead', async () => {
  const now = clock()
  const disk = new SimDisk(now)
  const store = await openStore(disk, now)
  const dead = await saveNumbers(store, [1, 2, 3])
  const kept = await saveNumbers(store, [3, 1])
  const before = [...disk.files().keys()]
  const { bytesFreed } = await store.collectGarbage({ live: async () => [kept] })
  const packed = packBlock(blockNumber(2)).length
  assert(bytesFreed > packed, `freed ${bytesFreed}`)
  assert.notDeepEqual([...disk.files().keys()], before)
  await readAll(await openStore(disk, now), kept)
  await assert.rejects(store.readManifest(dead), { name: 'MissingManifest' })
  await assert.rejects(store.readBlock(digestNumber(2)), { name: 'MissingBlock' })
})

test('what is younger than the grace period stays', async () => {
  let ms = 0
  const now = () => new Date(ms)
  const disk = new SimDisk(now)
  const store = await BlockStore.open({ folder: disk, now, graceMs: 100, workers: 0 })
  await saveNumbers(store, [1])
  ms = 99
  await store.collectGarbage({ live: async () => [] })
  assert.equal(store.usage().manifests, 1)
  ms = 100
  await store.collectGarbage({ live: async () => [] })
  assert.deepEqual(store.usage(), { packs: 0, blocks: 0, manifests: 0, bytes: 0 })
})

test('an upload that ends while garbage is collected loses nothing', async () => {
  const store = await openStore(new SimDisk(clock()))
  const upload = store.beginUpload()
  const block = await upload.putBlock(blockNumber(1))
  const sizeBytes = blockNumber(1).length
  let manifest: Digest | undefined
  await store.collectGarbage({
    live: async () => {
      // Named and let go of after the database was asked, and before the sweep.
      manifest = await upload.putManifest(manifestOf(sizeBytes, new Map([[0, keyOf(block)]])))
      upload.close()
      return []
    },
  })
  assert(manifest)
  await readAll(store, manifest)
})

test('a dead block that an upload finds while its pack is being left stays', async () => {
  let during = async () => {}
  const disk = new SimDisk(clock(), () => during())
  const store = await openStore(disk)
  await saveNumbers(store, [1, 2, 3])
  const kept = await saveNumbers(store, [3])
  using upload = store.beginUpload()
  during = async () => {
    if (![...disk.files().keys()].some((name) => name.endsWith('.tmp'))) return
    during = async () => {}
    await upload.putBlock(blockNumber(2))
  }
  await store.collectGarbage({ live: async () => [kept] })
  await store.readBlock(digestNumber(2))
  upload.close()
  await store.collectGarbage({ live: async () => [kept] })
  assert.equal(store.usage().blocks, 1)
})

test('nothing is deleted while a manifest is damaged, because what it names is not known', async () => {
  const now = clock()
  const disk = new SimDisk(now)
  const store = await openStore(disk, now)
  const damaged = await saveNumbers(store, [1])
  disk.damage(`manifests/${damaged.slice('sha256:'.length)}`, 20)
  const collecting = store.collectGarbage({ live: async () => [damaged] })
  await assert.rejects(collecting, CorruptManifest)
  await store.readBlock(digestNumber(1))
})

test('a pack with a damaged block that is named is left as it is', async () => {
  const now = clock()
  const disk = new SimDisk(now)
  const store = await openStore(disk, now)
  await saveNumbers(store, [1, 2])
  const kept = await saveNumbers(store, [1])
  const [pack = ''] = [...disk.files().keys()].filter((name) => name.startsWith('packs/'))
  disk.damage(pack, 20)
  disk.damage(pack, 60)
  const { packsDamaged } = await store.collectGarbage({ live: async () => [kept] })
  assert.equal(packsDamaged.length, 1)
  assert.equal((await findingsOf(store))[0]?.kind, 'damaged block')
})
