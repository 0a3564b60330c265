/** Blocks that come packed are kept as they are, or as we would have packed them, or not at all. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { constants, zstdCompressSync } from 'node:zlib'
import { type BlockKey, blockSizeBytes, keyOfBytes, packBlock, zeroKey } from './block.ts'
import { BlockStore } from './block-store.ts'
import { CorruptBlock, MissingBlock } from './errors.ts'
import { manifestOf } from './manifest.ts'
import { SimDisk } from './sim-disk.ts'
import type { NextPacked } from './take-blocks.ts'
import type { Packed } from './tasks.ts'
import { blockNumber, clock, findingsOf, openStore, temporaryFolder } from './testing.ts'
import type { Upload } from './upload.ts'

interface Foreign {
  readonly key: BlockKey
  readonly packed: Uint8Array
}

const foreign = (plain: Uint8Array, packed: Uint8Array = packBlock(plain)): Foreign => ({
  key: keyOfBytes(plain),
  packed,
})

/** Half of it can be compressed. */
function anyBlock(): Uint8Array {
  const block = Buffer.alloc(blockSizeBytes)
  randomBytes(blockSizeBytes / 2).copy(block)
  return block
}

/** As many at once as there is room for, each some bytes behind the one before. */
function bring(blocks: readonly Foreign[]): NextPacked {
  let next = 0
  return async (into, blocksMax) => {
    const places: Packed[] = []
    let at = 0
    for (const { key, packed } of blocks.slice(next, next + blocksMax)) {
      if (at + packed.length > into.length) break
      into.set(packed, at)
      places.push({ key, at, length: packed.length })
      at += packed.length + 3
    }
    next += places.length
    return places.length > 0 ? places : undefined
  }
}

const openReal = async (context: TestContext) => {
  const folder = await temporaryFolder(context)
  const store = await BlockStore.open({ folder, now: clock(), graceMs: 0, workers: 2 })
  context.after(() => store.close())
  return store
}

const nameAll = (upload: Upload, blocks: readonly Foreign[]) =>
  upload.putManifest(
    manifestOf(
      blocks.length * blockSizeBytes,
      new Map(blocks.map(({ key }, index) => [index, key])),
    ),
  )

test('packed blocks are kept as they came, those that are there already left out', async (context) => {
  const store = await openReal(context)
  const blocks = Array.from({ length: 40 }, () => {
    const plain = anyBlock()
    const params = { [constants.ZSTD_c_compressionLevel]: 6 }
    return foreign(plain, zstdCompressSync(plain, { params }))
  })
  using upload = store.beginUpload()
  const thirds = blocks.filter((_, position) => position % 3 === 0)
  await upload.takeBlocks(bring(thirds))
  const taken: number[] = []
  const addedBytes = await upload.takeBlocks(
    bring([...blocks, foreign(new Uint8Array(blockSizeBytes)), ...thirds]),
    { onTaken: (count) => taken.push(count) },
  )
  const added = blocks.filter((block) => !thirds.includes(block))
  assert.equal(
    addedBytes,
    added.reduce((sum, { packed }) => sum + packed.length, 0),
  )
  assert.equal(
    taken.reduce((sum, count) => sum + count, 0),
    40 + 1 + thirds.length,
  )
  await nameAll(upload, blocks)
  const order = blocks.toReversed()
  const read = await store.readPackedBlocks(order.map(({ key }) => key))
  assert.deepEqual(
    read.map((packed) => Buffer.from(packed)),
    order.map(({ packed }) => Buffer.from(packed)),
  )
  assert.deepEqual(await findingsOf(store), [])
})

/** Not packed at all, and with a window of 128 MiB. */
function rawFrame(plain: Uint8Array): Uint8Array {
  const pieceBytes = 128 * 1024
  const parts: Uint8Array[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 17 << 3])]
  for (let at = 0; at < plain.length; at += pieceBytes) {
    const isLast = at + pieceBytes === plain.length
    const head = Buffer.alloc(3)
    head.writeUIntLE((pieceBytes << 3) | Number(isLast), 0, 3)
    parts.push(head, plain.subarray(at, at + pieceBytes))
  }
  return Buffer.concat(parts)
}

test('a block in a form that a pack should not hold is packed anew', async (context) => {
  const store = await openReal(context)
  const [plain, other] = [anyBlock(), anyBlock()]
  const half = blockSizeBytes / 2
  const inTwo = Buffer.concat([
    zstdCompressSync(other.subarray(0, half)),
    zstdCompressSync(other.subarray(half)),
  ])
  const blocks = [foreign(other, inTwo), foreign(plain, rawFrame(plain))]
  using upload = store.beginUpload()
  const addedBytes = await upload.takeBlocks(bring(blocks))
  const own = [packBlock(other), packBlock(plain)]
  assert.equal(
    addedBytes,
    own.reduce((sum, { length }) => sum + length, 0),
  )
  const read = await store.readPackedBlocks(blocks.map(({ key }) => key))
  assert.deepEqual(
    read.map((packed) => Buffer.from(packed)),
    own.map((packed) => Buffer.from(packed)),
  )
})

test('a block that is not what it is called is named, and nobody gets it', async (context) => {
  const store = await openReal(context)
  const good = Array.from({ length: 20 }, () => foreign(anyBlock()))
  const [victim] = good
  assert(victim)
  const damages: readonly Uint8Array[] = [
    Buffer.from(victim.packed).fill(7, 100, 200),
    victim.packed.subarray(0, -1),
    packBlock(blockNumber(1)),
    new Uint8Array(),
    zstdCompressSync(Buffer.alloc(blockSizeBytes + 1)),
  ]
  for (const packed of damages) {
    using upload = store.beginUpload()
    const rest = good.slice(1)
    await assert.rejects(
      upload.takeBlocks(bring([...rest, { key: victim.key, packed }])),
      (error) => error instanceof CorruptBlock && keyFrom(error) === victim.key,
    )
  }
  using upload = store.beginUpload()
  await assert.rejects(nameAll(upload, [victim]), MissingBlock)
  // It was nobody's to promise, so a good one can still come.
  await upload.takeBlocks(bring(good))
  await nameAll(upload, good)
})

const keyFrom = ({ digest }: CorruptBlock): BlockKey =>
  Buffer.from(digest.slice('sha256:'.length), 'hex').toString('latin1')

test('two who bring the same at once both have it', async (context) => {
  const store = await openReal(context)
  const blocks = Array.from({ length: 30 }, () => foreign(anyBlock()))
  const added = await Promise.all(
    [blocks, blocks.toReversed()].map(async (order) => {
      using upload = store.beginUpload()
      const bytes = await upload.takeBlocks(bring(order))
      await nameAll(upload, order)
      return bytes
    }),
  )
  const packedBytes = blocks.reduce((sum, { packed }) => sum + packed.length, 0)
  assert.equal((added[0] ?? 0) + (added[1] ?? 0), packedBytes)
  assert.deepEqual(await findingsOf(store), [])
})

test('a block that another brings is there when it is sealed, and not where that is given up', async (context) => {
  const store = await openReal(context)
  const blocks = [foreign(anyBlock())]
  const [held, taken, found] = [0, 1, 2].map(() => Promise.withResolvers<undefined>())
  const bringing = bring(blocks)
  const first = store.beginUpload()
  const taking = first.takeBlocks(
    async (...room) => (await bringing(...room)) ?? (await held?.promise),
    { onTaken: () => taken?.resolve(undefined) },
  )
  await taken?.promise
  using second = store.beginUpload()
  const onTaken = () => found?.resolve(undefined)
  const waiting = second.takeBlocks(bring(blocks), { onTaken })
  await found?.promise
  first.close()
  held?.reject(new Error('cut off'))
  await assert.rejects(taking, /cut off/)
  await assert.rejects(waiting, /closed/)
  await second.takeBlocks(bring(blocks))
  await nameAll(second, blocks)
})

test('what is read packed was verified, and what is damaged is named', async () => {
  const disk = new SimDisk(clock())
  const store = await openStore(disk)
  const blocks = [1, 2, 3, 4].map((number) => foreign(blockNumber(number)))
  using upload = store.beginUpload()
  await upload.takeBlocks(bring(blocks))
  const keys = blocks.map(({ key }) => key)
  assert.equal((await store.readPackedBlocks(keys)).length, keys.length)
  await assert.rejects(store.readPackedBlocks([...keys, zeroKey]), MissingBlock)
  const [name = ''] = [...disk.files().keys()].filter((file) => file.startsWith('packs/'))
  const [first, second] = blocks
  disk.damage(name, 8 + (first?.packed.length ?? 0) + 9)
  await assert.rejects(
    store.readPackedBlocks(keys),
    (error) => error instanceof CorruptBlock && keyFrom(error) === second?.key,
  )
  const others = keys.filter((key) => key !== second?.key)
  assert.equal((await store.readPackedBlocks(others)).length, others.length)
})
