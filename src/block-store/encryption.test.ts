/** What is stored encrypted: only its key reads it, and without it everything else goes on. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Digest } from '../lib/digest.ts'
import { encryptSectors } from '../lib/xts.ts'
import { blockSizeBytes } from './block.ts'
import { BlockStore } from './block-store.ts'
import { CorruptBlock, CorruptManifest, MissingBlock } from './errors.ts'
import { blocksOf } from './manifest.ts'
import { SimDisk } from './sim-disk.ts'
import {
  clock,
  digestNumber,
  findingsOf,
  keyNumber,
  openDisk,
  openStore,
  readAll,
  saveNumbers,
  temporaryFolder,
} from './testing.ts'

const one = keyNumber(1)
const two = keyNumber(2)
const pattern = 'a text that compresses well, '

async function namesOf(store: BlockStore, manifest: Digest): Promise<Digest[]> {
  const { content } = await openDisk(store, manifest)
  return [...blocksOf(content)].map(([, digest]) => digest)
}

async function filesOf(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = names.filter((entry) => entry.isFile()).map((it) => join(it.parentPath, it.name))
  return new Map(await Promise.all(files.map(async (it) => [it, await readFile(it)] as const)))
}

/** A store with threads, and a disk of text, of bytes that do not compress, and of a hole. */
async function start(context: TestContext) {
  const folder = await temporaryFolder(context, () => store.close())
  const now = clock()
  const store = await BlockStore.open({ folder, now, graceMs: 0, workers: 2 })
  const bytes = Buffer.alloc(3 * blockSizeBytes + 512)
  bytes.fill(pattern, 0, blockSizeBytes)
  randomBytes(blockSizeBytes).copy(bytes, 2 * blockSizeBytes)
  bytes.fill(pattern, 3 * blockSizeBytes)
  const file = join(await temporaryFolder(context), 'disk')
  await writeFile(file, bytes)
  const sizeBytes = bytes.length
  const source = { sizeBytes, extents: [{ start: 0, length: sizeBytes, file, fileOffset: 0 }] }
  return { folder, store, bytes, file, source }
}

test('an encrypted disk is read with its key, and nothing of it is to be found without', async (context) => {
  const { folder, store, bytes, file, source } = await start(context)
  using upload = store.beginUpload(one)
  const { manifest, blocksAdded } = await upload.saveDisk(source)
  assert.equal(blocksAdded, 3)
  const path = `${file}.read`
  await store.writeDisk(manifest, path, { cipher: one })
  assert((await readFile(path)).equals(bytes))

  for (const [name, content] of await filesOf(folder)) {
    for (const plain of [pattern, bytes.subarray(2 * blockSizeBytes, 2 * blockSizeBytes + 32)]) {
      assert(!content.includes(plain), name)
    }
    for (const key of Object.values(one ?? {})) assert(!content.includes(key as Uint8Array), name)
    // No frame of zstd lies open.
    assert(!content.includes(Buffer.from([0x28, 0xb5, 0x2f, 0xfd])), name)
  }
  for (const cipher of [two, undefined]) {
    await assert.rejects(store.readManifest(manifest, cipher), CorruptManifest)
    await assert.rejects(store.writeDisk(manifest, path, { cipher }), CorruptManifest)
    for (const name of await namesOf(store, manifest)) {
      await assert.rejects(store.readBlock(name, cipher), CorruptBlock)
    }
  }
  // The same again is nothing new; what changed is read alone.
  const again = await upload.saveDisk({ ...source, since: { manifest, changed: [] } })
  assert.deepEqual([again.manifest, again.blocksRead, again.blocksAdded], [manifest, 0, 0])
  assert.equal((await upload.saveDisk(source)).blocksAdded, 0)
})

test('equal content has other names under another key, and none of them is its digest', async (context) => {
  const { store, source } = await start(context)
  const saved = []
  for (const cipher of [undefined, one, two]) {
    using upload = store.beginUpload(cipher)
    const { manifest, blocksAdded } = await upload.saveDisk(source)
    assert.equal(blocksAdded, 3)
    saved.push(manifest, ...(await namesOf(store, manifest)))
  }
  assert.equal(new Set(saved).size, saved.length)
})

test('a copy under another key holds the same, and needs the first no more', async (context) => {
  const { store, bytes, file, source } = await start(context)
  using upload = store.beginUpload()
  const plain = await upload.saveDisk(source)
  using sealing = store.beginUpload(one)
  const sealed = await sealing.copyDisk({ manifest: plain.manifest, cipher: undefined })
  using other = store.beginUpload(two)
  const copied = await other.copyDisk({ manifest: sealed.manifest, cipher: one })
  assert.equal(copied.blocksAdded, 3)
  for (const closed of [upload, sealing, other]) closed.close()
  await store.collectGarbage({ live: async () => [copied.manifest] })
  assert.deepEqual([store.usage().blocks, store.usage().manifests], [3, 1])
  await store.writeDisk(copied.manifest, `${file}.read`, { cipher: two })
  assert((await readFile(`${file}.read`)).equals(bytes))
  using back = store.beginUpload()
  const again = await back.copyDisk({ manifest: copied.manifest, cipher: two })
  assert.equal(again.manifest, plain.manifest)
})

test('garbage is collected without keys, and what stays is as it was', async () => {
  const now = clock()
  const store = await openStore(new SimDisk(now), now)
  const kept = await saveNumbers(store, [1, 2, 0, 3], () => {}, one)
  const dropped = await saveNumbers(store, [3, 4, 5], () => {}, one)
  const other = await saveNumbers(store, [1, 4], () => {}, two)
  const plain = await saveNumbers(store, [1, 6])
  const live = [kept, plain]
  await store.collectGarbage({ live: async () => live })
  assert.equal(store.usage().blocks, 5)
  for (const manifest of live) await readAll(store, manifest)
  for (const manifest of [dropped, other]) assert(!store.hasManifest(manifest))
  assert(!store.hasBlock(digestNumber(4)))
  assert.deepEqual(await findingsOf(store, live), [])
})

test('any byte of an encrypted block or manifest that changes is found, without the key too', async () => {
  const now = clock()
  const disk = new SimDisk(now)
  const store = await openStore(disk, now)
  const manifest = await saveNumbers(store, [1, 2], () => {}, one)
  await store.close()
  const ciphers = new Map(one ? [[manifest, one]] : [])
  const [pack = ''] = [...disk.files().keys()].filter((name) => name.startsWith('packs/'))
  const file = `manifests/${manifest.slice('sha256:'.length)}`
  const sizes = { [pack]: 0, [file]: 0 }
  for (const { name, sizeBytes } of await disk.list('manifests'))
    sizes[`manifests/${name}`] = sizeBytes
  for (const { name, sizeBytes } of await disk.list('packs')) sizes[`packs/${name}`] = sizeBytes
  for (const name of [pack, file]) {
    for (let at = 0; at < (sizes[name] ?? 0); at++) {
      const withKey = at % 8 === 0 ? [{ ciphers }] : []
      const damaged = disk.reopen()
      damaged.damage(name, at)
      const opened = await openStore(damaged, now)
      for (const options of [{}, ...withKey]) {
        const found = []
        for await (const finding of opened.verify({ live: [manifest], ...options }))
          found.push(finding)
        assert(found.length > 0, `${name} at ${at}`)
      }
      if (name === file) await assert.rejects(opened.readManifest(manifest, one), CorruptManifest)
      else {
        // The name of the damaged block is told; the others, and what is around them, are no less right.
        for (const block of await namesOf(opened, manifest)) {
          await opened.readBlock(block, one).catch((error: unknown) => {
            if (!(error instanceof CorruptBlock || error instanceof MissingBlock)) throw error
            assert.equal(error.digest, block)
          })
        }
      }
      damaged.damage(name, at)
    }
  }
})

test('a check with the key finds content that is not what its name says', async () => {
  const now = clock()
  const store = await openStore(new SimDisk(now), now)
  const manifest = await saveNumbers(store, [1, 2], () => {}, one)
  const ciphers = new Map(two ? [[manifest, two]] : [])
  const found = []
  for await (const { kind } of store.verify({ ciphers })) found.push(kind)
  assert.deepEqual(found, ['damaged block', 'damaged block', 'damaged manifest'])
})

test('an encrypted disk that comes from an encrypted file is under the key of the store', async (context) => {
  const { store, bytes, file } = await start(context)
  const masterKey = randomBytes(64)
  const sealed = Buffer.from(bytes)
  encryptSectors(masterKey, sealed, 128)
  await writeFile(file, Buffer.concat([Buffer.alloc(128 * 512), sealed]))
  using upload = store.beginUpload(one)
  const extents = [{ start: 0, length: bytes.length, file, fileOffset: 128 * 512, masterKey }]
  const { manifest } = await upload.saveDisk({ sizeBytes: bytes.length, extents })
  await store.writeDisk(manifest, `${file}.read`, { cipher: one })
  assert((await readFile(`${file}.read`)).equals(bytes))
})
