import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { databases } from '../../test/databases.ts'
import { newId, putImage, snapshotRow } from '../../test/rows.ts'
import { blockSizeBytes } from '../block-store/block.ts'
import { transaction } from '../db/database.ts'
import { type Digest, digestOf } from '../lib/digest.ts'
import type { Id } from '../lib/ids.ts'
import { changeImageState } from '../images/store.ts'
import { insertSnapshot } from '../snapshots/store.ts'
import { BlockCounts, namesOf } from './block-counts.ts'
import { StoredSizes } from './sizes.ts'

const owner = { accountId: '111111111111', region: 'us-east-1' }

test('blocks are counted as sets of them would be', () => {
  const names = Array.from({ length: 40 }, () => randomBytes(32))
  const blocks = fc.array(fc.nat(39), { maxLength: 60 })
  fc.assert(
    fc.property(fc.array(blocks, { minLength: 1, maxLength: 6 }), (holders) => {
      const counts = new BlockCounts()
      const keysOf = (list: readonly number[]) =>
        namesOf(list.map((number) => names[number] ?? Buffer.alloc(32)))
      holders.forEach((list, index) => counts.add(keysOf(list), index + 1))
      holders.forEach((list, index) => {
        const others = new Set(holders.filter((_, other) => other !== index).flat())
        const own = new Set(list)
        assert.deepEqual(counts.count(keysOf(list), index + 1), {
          blocks: own.size,
          alone: [...own].filter((number) => !others.has(number)).length,
        })
      })
    }),
  )
})

test('the table of blocks grows and loses nothing', () => {
  const counts = new BlockCounts()
  const keys = randomBytes(32 * 20_000)
  counts.add(namesOf([keys]), 1)
  counts.add(namesOf([keys.subarray(0, 32 * 5000)]), 2)
  assert.deepEqual(counts.count(namesOf([keys]), 1), { blocks: 20_000, alone: 15_000 })
})

for (const [name, start] of Object.entries(databases)) {
  test(`what an image has alone is what neither another image nor a snapshot has (${name})`, async (context) => {
    const db = await start(context)
    const blocks = new Map<Digest, Buffer>()
    let reads = 0
    const disk = (...numbers: readonly number[]): Digest => {
      const keys = Buffer.concat(numbers.map((number) => Buffer.alloc(32, number)))
      const manifest = digestOf(keys)
      blocks.set(manifest, keys)
      return manifest
    }
    const sizes = new StoredSizes(async function* (manifest) {
      reads++
      yield blocks.get(manifest) ?? Buffer.alloc(0)
    }, 60_000)
    const add = async (label: string, ...manifests: readonly Digest[]) => {
      const snapshots = manifests.map((manifest) => snapshotRow(owner, { manifest }))
      await transaction(db.writes, async (tx) => {
        for (const one of snapshots) await insertSnapshot(tx, one)
      })
      if (label === '') return undefined
      const blockDevices = snapshots.map(({ id: snapshotId }, index) => ({
        deviceName: `/dev/sd${index}`,
        ebs: { snapshotId, sizeGiB: 1, type: 'gp3', deleteOnTermination: true },
      }))
      return await putImage(db, owner, { name: label, blockDevices })
    }
    const first = await add('one', disk(1, 2, 3), disk(3, 4))
    const copy = await add('two', disk(1, 5, 5, 5))
    const same = await add('same', disk(7, 8))
    const twin = await add('twin', disk(7, 8))
    await add('', disk(2))
    const read = async (id: Id<'image'> | undefined) => {
      const size = id && (await sizes.of(db.reads))?.get(id)
      return size && [size.dataBytes / blockSizeBytes, size.aloneBytes / blockSizeBytes]
    }
    assert.deepEqual(await read(first?.id), [4, 2])
    assert.deepEqual(await read(copy?.id), [2, 1])
    assert.deepEqual(await read(same?.id), [2, 0])
    const before = reads
    assert.deepEqual(await read(twin?.id), [2, 0])
    assert.equal(reads, before, 'nothing is read again while nothing has changed')
    assert(twin)
    const gone = { id: twin.id, from: ['available'], to: 'deregistered', at: new Date() } as const
    await transaction(db.writes, (tx) => changeImageState(tx, gone))
    assert.equal(await read(twin.id), undefined)
    assert.deepEqual(await read(same?.id), [2, 0], 'its snapshots are still there')
    assert.equal(await read(newId('image')), undefined)
    assert.equal(reads, blocks.size + 1, 'each disk was read once, also that of the rows')
  })

  test(`nobody waits for long while sizes are found out (${name})`, async (context) => {
    const db = await start(context)
    const image = await putImage(db, owner, { name: 'large' })
    const { promise, resolve } = Promise.withResolvers<void>()
    const sizes = new StoredSizes(async function* () {
      await promise
      yield Buffer.alloc(32, 1)
    }, 1)
    assert.equal(await sizes.of(db.reads), undefined)
    assert.equal(await sizes.of(db.reads), undefined)
    resolve()
    for (;;) {
      const found = await sizes.of(db.reads)
      if (!found) continue
      assert.deepEqual(found.get(image.id), {
        dataBytes: blockSizeBytes,
        aloneBytes: blockSizeBytes,
      })
      break
    }
  })
}
