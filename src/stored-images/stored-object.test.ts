import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { blockSizeBytes, keyOf } from '../block-store/block.ts'
import { BlockStore } from '../block-store/block-store.ts'
import { frameMagic } from '../block-store/frame.ts'
import { encodeManifest, manifestOf } from '../block-store/manifest.ts'
import { SimDisk } from '../block-store/sim-disk.ts'
import { readAll, saveNumbers } from '../block-store/testing.ts'
import { objectOf } from '../buckets/testing.ts'
import type { BlockDevice } from '../images/image.ts'
import { type Digest, digestOf } from '../lib/digest.ts'
import { type Description, encodeDescription, parseDescription } from './description.ts'
import { BadObject } from './reading.ts'
import { readHead, readObject, writeObject } from './stored-object.ts'

const now = () => new Date(1_000_000)

async function openStore(context: TestContext): Promise<BlockStore> {
  const store = await BlockStore.open({ folder: new SimDisk(now), now, graceMs: 0, workers: 0 })
  context.after(() => store.close())
  return store
}

function describe(manifests: readonly Digest[]): Description {
  const disks = manifests.map((manifest, number) => ({
    snapshotId: `snap-0000000000000000${number}` as const,
    manifest,
    sizeGiB: 1,
    tags: [{ key: 'disk', value: String(number) }],
  }))
  return {
    task: '0123-abcd',
    storedAt: new Date(5),
    objectTags: [{ key: 'a', value: '' }],
    image: {
      id: 'ami-00000000000000001',
      accountId: '123456789012',
      region: 'us-east-1',
      name: 'web',
      description: 'of the web',
      createdAt: new Date(1),
      architecture: 'x86_64',
      bootMode: 'uefi',
      rootDeviceName: '/dev/xvda',
      virtualizationType: 'hvm',
      platform: undefined,
      platformDetails: 'Linux/UNIX',
      usageOperation: 'RunInstances',
      enaSupport: true,
      sriovNetSupport: 'simple',
      imdsSupport: undefined,
      tpmSupport: undefined,
      uefiData: 'QU1aTlVFRkk=',
      blockDevices: [
        ...disks.map(({ snapshotId }, number) => ({
          deviceName: `/dev/xvd${'abc'[number]}`,
          ebs: { snapshotId, sizeGiB: 2, type: 'gp3', iops: 3000, deleteOnTermination: true },
        })),
        { deviceName: '/dev/sdh', ebs: { sizeGiB: 1, type: 'gp2', deleteOnTermination: false } },
        {
          deviceName: '/dev/sdj',
          ebs: { isEncrypted: true, sizeGiB: 1, type: 'gp2', deleteOnTermination: true },
        },
        { deviceName: '/dev/sdi', virtualName: 'ephemeral0' },
      ],
      tags: [{ key: 'Name', value: 'web' }],
      watermarks: [
        {
          key: '123456789012:approved',
          sourceImageId: 'ami-00000000000000009',
          sourceImageRegion: 'eu-west-1',
          sourceImageCreatedAt: new Date(2),
          createdAt: new Date(3),
        },
      ],
    },
    disks,
  }
}

/** Two disks that have a block in common, as one object. */
async function storeTwo(context: TestContext) {
  const store = await openStore(context)
  const manifests = [await saveNumbers(store, [1, 0, 2, 2]), await saveNumbers(store, [0, 2, 3])]
  const description = describe(manifests)
  const written: Buffer[] = []
  const told: number[] = []
  await writeObject(
    async (bytes) => void written.push(Buffer.from(bytes)),
    encodeDescription(description),
    description.disks,
    store,
    { onProgress: (done, total) => told.push(done, total) },
  )
  assert.deepEqual(told, [3, 3])
  return { object: Buffer.concat(written), description, manifests }
}

test('what an object was made of comes back from it, in another store', async (context) => {
  const { object, description, manifests } = await storeTwo(context)
  const store = await openStore(context)
  const head = await readHead(objectOf(object))
  assert.deepEqual(head.description, description)
  using upload = store.beginUpload()
  const { disks, addedBytes } = await readObject(objectOf(object), head, upload)
  assert.deepEqual(
    disks,
    manifests.map((manifest, number) => ({ manifest, blocks: 3 - number })),
  )
  assert(addedBytes > 0)
  for (const manifest of manifests) await readAll(store, manifest)
  const again = await readObject(objectOf(object), head, upload)
  assert.equal(again.addedBytes, 0)
})

test('an object of more than is read at once comes back too, or is refused', async (context) => {
  const from = await openStore(context)
  using upload = from.beginUpload()
  const blocks = new Map<number, string>()
  await Promise.all(
    Array.from({ length: 21 }, async (_, index) => {
      // Large ones and small ones, so that they end anywhere in what is read.
      const isLarge = index % 5 < 3
      const bytes = isLarge ? randomBytes(blockSizeBytes) : Buffer.alloc(blockSizeBytes, index)
      blocks.set(index, keyOf(await upload.putBlock(bytes)))
    }),
  )
  const manifest = await upload.putManifest(manifestOf(21 * blockSizeBytes, blocks))
  const description = describe([manifest])
  const written: Buffer[] = []
  await writeObject(
    async (bytes) => void written.push(Buffer.from(bytes)),
    encodeDescription(description),
    description.disks,
    from,
  )
  const object = Buffer.concat(written)
  const restore = async (bytes: Buffer) => {
    const store = await openStore(context)
    using into = store.beginUpload()
    const { disks } = await readObject(objectOf(bytes), await readHead(objectOf(bytes)), into)
    const verified = await store.readPackedBlocks([...blocks.values()])
    return { disks, verified: verified.length }
  }
  assert.deepEqual(await restore(object), { disks: [{ manifest, blocks: 21 }], verified: 21 })
  const late = object.length - 2 * blockSizeBytes
  for (const bad of [
    object.subarray(0, late),
    object.subarray(0, -8),
    object.subarray(0, -9),
    Buffer.concat([object.subarray(0, late), Buffer.alloc(blockSizeBytes), object.subarray(late)]),
  ]) {
    await assert.rejects(restore(bad), BadObject)
  }
})

/** Where the first frame has a bit that nobody uses (RFC 8878, section 3.1.1.1.1.3). */
const unsaid = (object: Buffer): number => object.indexOf(frameMagic) + frameMagic.length

test('an object that is damaged anywhere is found out, and leaves no disk behind', async (context) => {
  const { object, manifests } = await storeTwo(context)
  const damage = fc.oneof(
    fc.record({ kind: fc.constant('flip'), at: fc.nat(object.length - 1), bit: fc.nat(7) }),
    fc.record({ kind: fc.constant('cut'), at: fc.nat(object.length - 1), bit: fc.constant(0) }),
    fc.record({ kind: fc.constant('grow'), at: fc.constant(0), bit: fc.constant(0) }),
  )
  await fc.assert(
    fc.asyncProperty(damage, async ({ kind, at, bit }) => {
      let bad = Buffer.from(object)
      if (kind === 'flip') bad[at] = (bad[at] ?? 0) ^ (1 << bit)
      else if (kind === 'cut') bad = bad.subarray(0, at)
      else bad = Buffer.concat([bad, Buffer.from('x')])
      const store = await openStore(context)
      using upload = store.beginUpload()
      try {
        const { disks } = await readObject(objectOf(bad), await readHead(objectOf(bad)), upload)
        // A frame of zstd has bits that say nothing of what is in it, such as of the memory it wants.
        assert.equal(kind, 'flip')
        assert.deepEqual(
          disks.map(({ manifest }) => manifest),
          manifests,
        )
        for (const manifest of manifests) await readAll(store, manifest)
      } catch (error) {
        assert(error instanceof BadObject, String(error))
        assert.equal(store.usage().manifests, 0)
      }
    }),
    { numRuns: 60, examples: [[{ kind: 'flip', at: unsaid(object), bit: 4 }]] },
  )
})

test('an object that was made to do harm is refused, whatever its checksums say', async (context) => {
  const { object, description, manifests } = await storeTwo(context)
  const head = await readHead(objectOf(object))
  const withDescription = (bytes: Buffer, rest = object.subarray(head.offset)) => {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(bytes.length)
    const hash = createHash('sha256').update(bytes).digest()
    return Buffer.concat([Buffer.from('imgstor1'), length, hash, bytes, rest])
  }
  const huge = Buffer.alloc(4)
  huge.writeUInt32LE(2 ** 32 - 1)
  const tooLong = Buffer.concat([object.subarray(0, 8), huge, object.subarray(12)])
  const plain = encodeDescription(description)
  // A manifest of a few bytes that says to be of many blocks.
  const indexes = Uint32Array.from({ length: 2 ** 18 }, (_, index) => index)
  const keys = Buffer.alloc(indexes.length * 32)
  for (let at = 0; at < keys.length; at += 32) keys.writeUInt32LE(at + 1, at)
  const many = encodeManifest({ sizeBytes: 2 ** 40, indexes, keys })
  const bomb = zstdCompressSync(many)
  const big = describe([digestOf(many)])
  const ofMany = encodeDescription({
    ...big,
    disks: big.disks.map((disk) => ({ ...disk, sizeGiB: 1024 })),
    image: {
      ...big.image,
      blockDevices: big.image.blockDevices.slice(0, 1).map((device) => ({
        ...device,
        ...(device.ebs && { ebs: { ...device.ebs, sizeGiB: 1024 } }),
      })),
    },
  })
  const bombLength = Buffer.alloc(4)
  bombLength.writeUInt32LE(bomb.length)
  const swapped = encodeDescription(describe(manifests.toReversed()))
  for (const bad of [
    tooLong,
    withDescription(plain, Buffer.concat([huge, object.subarray(head.offset + 4)])),
    withDescription(swapped),
    withDescription(ofMany, Buffer.concat([bombLength, bomb, Buffer.alloc(1000)])),
    Buffer.alloc(0),
    Buffer.from('imgstor1'),
  ]) {
    const store = await openStore(context)
    using upload = store.beginUpload()
    const reading = async () =>
      await readObject(objectOf(bad), await readHead(objectOf(bad)), upload)
    await assert.rejects(reading, BadObject)
  }
})

test('a description is what it says, or it is refused by name', () => {
  const good = describe([`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`])
  const text = encodeDescription(good).toString()
  assert.deepEqual(parseDescription(Buffer.from(text)), good)
  const sealed = good.image.blockDevices.map((device): BlockDevice =>
    device.ebs?.snapshotId ? { ...device, ebs: { ...device.ebs, isEncrypted: true } } : device,
  )
  const wasSealed = { ...good, image: { ...good.image, blockDevices: sealed } }
  assert.deepEqual(parseDescription(encodeDescription(wasSealed)), good)
  const change = (path: readonly string[], value: unknown) => {
    const read = JSON.parse(text) as Record<string, unknown>
    let at = read
    for (const name of path.slice(0, -1)) at = at[name] as Record<string, unknown>
    at[path.at(-1) ?? ''] = value
    return Buffer.from(JSON.stringify(read))
  }
  for (const path of [
    ['version'],
    ['task'],
    ['storedAt'],
    ['objectTags'],
    ['disks'],
    ['disks', '0', 'manifest'],
    ['disks', '0', 'snapshotId'],
    ['disks', '1', 'sizeGiB'],
    ['disks', '1', 'tags'],
    ['image', 'id'],
    ['image', 'accountId'],
    ['image', 'name'],
    ['image', 'createdAt'],
    ['image', 'architecture'],
    ['image', 'rootDeviceName'],
    ['image', 'virtualizationType'],
    ['image', 'enaSupport'],
    ['image', 'blockDevices'],
    ['image', 'blockDevices', '0', 'deviceName'],
    ['image', 'blockDevices', '0', 'ebs'],
    ['image', 'blockDevices', '0', 'ebs', 'type'],
    ['image', 'blockDevices', '0', 'ebs', 'sizeGiB'],
    ['image', 'watermarks', '0', 'key'],
    ['image', 'tags', '0', 'key'],
  ]) {
    for (const value of [undefined, {}, -1, '\0', 'aws:x'.repeat(300)]) {
      assert.throws(() => parseDescription(change(path, value)), BadObject, path.join('.'))
    }
  }
  for (const [device, value] of [
    ['0', true],
    ['3', 'yes'],
  ] as const) {
    const bad = change(['image', 'blockDevices', device, 'ebs', 'isEncrypted'], value)
    assert.throws(() => parseDescription(bad), BadObject)
  }
  fc.assert(
    fc.property(fc.constantFrom('image', 'disks'), fc.jsonValue(), (name, value) => {
      assert.throws(() => parseDescription(change([name], value)), BadObject)
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      assert.throws(() => parseDescription(bytes), BadObject)
    }),
  )
})
