/** Disks come back as they were saved, and what is wrong is said. On a real file system, with threads. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cp, open, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { digestOf } from '../lib/digest.ts'
import { blockSizeBytes, keyOf } from './block.ts'
import { BlockStore } from './block-store.ts'
import type { DiskExtent } from './disk-source.ts'
import { CorruptBlock, DiskFull, MissingBlock, MissingManifest } from './errors.ts'
import { blockAt, manifestOf } from './manifest.ts'
import { SimDisk } from './sim-disk.ts'
import {
  blockNumber,
  clock,
  digestNumber,
  findingsOf,
  openStore,
  readAll,
  saveNumbers,
  temporaryFolder,
} from './testing.ts'

const openReal = (folder: string) =>
  BlockStore.open({ folder, now: () => new Date(), graceMs: 0, workers: 2 })

const whole = (file: string, length: number): DiskExtent => ({
  start: 0,
  length,
  file,
  fileOffset: 0,
})

test('a disk comes back as it was, whatever its extents and changes are', async (context) => {
  const folder = await temporaryFolder(context)
  const store = await openReal(join(folder, 'store'))
  context.after(() => store.close())
  const content = join(folder, 'content')
  const bytes = Buffer.alloc(3 * blockSizeBytes)
  for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE((at * 2654435761) >>> 0, at)
  await writeFile(content, bytes)

  const anySize = fc.integer({ min: 1, max: 5 * blockSizeBytes })
  const anyExtents = fc.array(
    fc.record({ gap: fc.nat(blockSizeBytes), length: fc.nat(2 * blockSizeBytes), from: fc.nat() }),
    { maxLength: 5 },
  )
  const build = (sizeBytes: number, parts: { gap: number; length: number; from: number }[]) => {
    const plain = Buffer.alloc(sizeBytes)
    const extents: DiskExtent[] = []
    let start = 0
    for (const part of parts) {
      start += part.gap
      const fileOffset = part.from % bytes.length
      const length = Math.max(0, Math.min(part.length, sizeBytes - start))
      bytes.copy(plain, start, fileOffset, fileOffset + length)
      extents.push({ start, length, file: content, fileOffset })
      start += length
    }
    return { plain, extents: extents.toReversed() }
  }
  await fc.assert(
    fc.asyncProperty(anySize, anyExtents, anySize, anyExtents, async (size, some, size2, other) => {
      using upload = store.beginUpload()
      const path = join(folder, 'out')
      const first = build(size, some)
      const saved = await upload.saveDisk({ sizeBytes: size, extents: first.extents })
      await store.writeDisk(saved.manifest, path)
      assert.equal((await readFile(path)).compare(first.plain), 0)

      const second = build(size2, other)
      const changed = [...first.extents, ...second.extents]
      const later = await upload.saveDisk({
        sizeBytes: size2,
        extents: second.extents,
        since: { manifest: saved.manifest, changed },
      })
      await store.writeDisk(later.manifest, path)
      assert.equal((await readFile(path)).compare(second.plain), 0)
      const anew = await upload.saveDisk({ sizeBytes: size2, extents: second.extents })
      assert.equal(anew.manifest, later.manifest, 'equal disks have one digest')
      assert.equal(anew.blocksAdded, 0)
    }),
    { numRuns: 40 },
  )
  assert.deepEqual(await findingsOf(store), [])
})

test('of a disk that changed, only the changed blocks are read', async (context) => {
  const folder = await temporaryFolder(context)
  const store = await openReal(join(folder, 'store'))
  context.after(() => store.close())
  const file = join(folder, 'disk')
  const sizeBytes = 40 * blockSizeBytes
  await writeFile(file, Buffer.concat(Array.from({ length: 40 }, (_, at) => blockNumber(at + 1))))
  const extents = [whole(file, sizeBytes)]
  using upload = store.beginUpload()
  const before = await upload.saveDisk({ sizeBytes, extents })
  assert.equal(before.blocks, 40)

  const at = 7 * blockSizeBytes + 100
  await using handle = await open(file, 'r+')
  await handle.write('changed', at)
  const changed = [{ start: at, length: 7 }]
  const since = { manifest: before.manifest, changed }
  const after = await upload.saveDisk({ sizeBytes, extents, since })
  assert.deepEqual(
    { read: after.blocksRead, changed: after.blocksChanged, added: after.blocksAdded },
    { read: 1, changed: 1, added: 1 },
  )
  const manifest = await store.readManifest(after.manifest)
  const block = Buffer.from(await store.readBlock(blockAt(manifest, 7) ?? digestNumber(0)))
  assert.equal(block.toString('latin1', 100, 107), 'changed')
})

test('a sparse disk of 100 GiB takes what its blocks take', async (context) => {
  const folder = await temporaryFolder(context)
  const store = await openReal(join(folder, 'store'))
  context.after(() => store.close())
  const file = join(folder, 'content')
  await writeFile(file, 'a little content')
  const sizeBytes = 100 * 2 ** 30
  const extents = [0, 40 * 2 ** 30 + 5, sizeBytes - 16].map((start) => ({
    ...whole(file, 16),
    start,
  }))
  using upload = store.beginUpload()
  const saved = await upload.saveDisk({ sizeBytes, extents })
  assert.equal(saved.blocks, 3)
  assert.equal(saved.blocksRead, 3)
  const path = join(folder, 'out')
  await store.writeDisk(saved.manifest, path)
  const written = await stat(path)
  assert.equal(written.size, sizeBytes)
  assert(written.blocks * 512 < 10 * 2 ** 20, `${written.blocks} sectors`)
  await using out = await open(path, 'r')
  const end = Buffer.alloc(16)
  await out.read(end, 0, 16, sizeBytes - 16)
  assert.equal(end.toString(), 'a little content')
})

test('what two uploads store at once is stored once', async (context) => {
  const folder = await temporaryFolder(context)
  const store = await openReal(join(folder, 'store'))
  context.after(() => store.close())
  const file = join(folder, 'disk')
  await writeFile(file, Buffer.concat(Array.from({ length: 30 }, (_, at) => blockNumber(at + 1))))
  const source = {
    sizeBytes: 30 * blockSizeBytes,
    extents: [whole(file, 30 * blockSizeBytes)],
  }
  const saves = Array.from({ length: 4 }, async () => {
    using upload = store.beginUpload()
    const saved = await upload.saveDisk(source)
    await readAll(store, saved.manifest)
    return saved
  })
  const saved = await Promise.all(saves)
  assert.equal(new Set(saved.map(({ manifest }) => manifest)).size, 1)
  assert.equal(
    saved.reduce((sum, { blocksAdded }) => sum + blocksAdded, 0),
    30,
  )
})

test('an upload that waits for another one goes on when that is given up', async (context) => {
  const folder = await temporaryFolder(context)
  const store = await openReal(join(folder, 'store'))
  context.after(() => store.close())
  const file = join(folder, 'disk')
  await writeFile(file, Buffer.concat(Array.from({ length: 60 }, (_, at) => blockNumber(at + 1))))
  const length = 60 * blockSizeBytes
  const source = { sizeBytes: length, extents: [whole(file, length)] }
  const first = store.beginUpload()
  const stop = new AbortController()
  const givenUp = first.saveDisk(source, {
    signal: stop.signal,
    onProgress: (done) => {
      if (done > length / 2) stop.abort()
    },
  })
  using second = store.beginUpload()
  const saving = second.saveDisk(source)
  await assert.rejects(givenUp, { name: 'AbortError' })
  first.close()
  await readAll(store, (await saving).manifest)
  assert.deepEqual(await findingsOf(store), [])
})

test('a store that is opened again has everything', async (context) => {
  const folder = await temporaryFolder(context)
  const store = await openReal(folder)
  const manifest = await saveNumbers(store, [1, 0, 2])
  const packs = await readdir(join(folder, 'packs'))
  const usage = store.usage()
  await store.close()
  await writeFile(join(folder, 'packs/0000000009.tmp'), 'torn')
  const looking = await BlockStore.open({
    folder,
    now: () => new Date(),
    graceMs: 0,
    workers: 0,
    readOnly: true,
  })
  assert.deepEqual(await findingsOf(looking), [{ kind: 'left over', file: 'packs/0000000009.tmp' }])
  const again = await openReal(folder)
  context.after(() => again.close())
  assert.deepEqual(again.usage(), usage)
  await readAll(again, manifest)
  assert.deepEqual(await readdir(join(folder, 'packs')), packs)
})

test('zeros are named and take no place', async () => {
  const store = await openStore(new SimDisk(clock()))
  const manifest = await saveNumbers(store, [0, 0])
  assert.equal(store.usage().blocks, 0)
  assert.equal((await store.readManifest(manifest)).indexes.length, 0)
  assert.deepEqual(await store.readBlock(digestNumber(0)), blockNumber(0))
})

test('a byte that flipped is found and never handed out', async (context) => {
  const folder = await temporaryFolder(context)
  const store = await openReal(join(folder, 'store'))
  context.after(() => store.close())
  const manifest = await saveNumbers(store, [1])
  const file = join(folder, 'store/packs/0000000001.pack')
  const bytes = await readFile(file)
  bytes[8] = (bytes[8] ?? 0) ^ 1
  await writeFile(file, bytes)
  const digest = digestNumber(1)
  await assert.rejects(store.readBlock(digest), (error) => {
    assert(error instanceof CorruptBlock)
    assert.equal(error.digest, digest)
    assert.equal(error.where, 'packs/0000000001.pack at byte 8')
    return true
  })
  const path = join(folder, 'out')
  await assert.rejects(store.writeDisk(manifest, path), CorruptBlock)
  assert.deepEqual(await readdir(folder), ['store'], 'no half file is left')
  assert.deepEqual(await findingsOf(store, [digestOf(Buffer.from('other'))]), [
    { kind: 'damaged block', digest, file: 'packs/0000000001.pack', offset: 8 },
    { kind: 'missing manifest', manifest: digestOf(Buffer.from('other')) },
  ])
})

test('a pack that was cut off is reported, left alone, and stored anew', async (context) => {
  const folder = await temporaryFolder(context)
  const store = await openReal(folder)
  const manifest = await saveNumbers(store, [1])
  await store.close()
  await truncate(join(folder, 'packs/0000000001.pack'), 100)
  const again = await openReal(folder)
  context.after(() => again.close())
  const kinds = (await findingsOf(again)).map(({ kind }) => kind)
  assert.deepEqual(kinds, ['unreadable pack', 'missing block'])
  await assert.rejects(readAll(again, manifest), MissingBlock)
  await saveNumbers(again, [1])
  await readAll(again, manifest)
})

test('a manifest whose blocks or whose name are unknown is refused', async () => {
  const store = await openStore(new SimDisk(clock()))
  using upload = store.beginUpload()
  const unknown = digestNumber(9)
  const manifest = manifestOf(blockSizeBytes, new Map([[0, keyOf(unknown)]]))
  await assert.rejects(upload.putManifest(manifest), MissingBlock)
  assert.throws(() => upload.hold(unknown), MissingManifest)
  await assert.rejects(store.readManifest(unknown), MissingManifest)
})

test('a full disk is said to be full, and nothing half-written is left', async () => {
  const sizes = [0, 10, 60, 150, 260, 330]
  for (const bytes of sizes) {
    const disk = new SimDisk(clock())
    const store = await openStore(disk)
    const kept = await saveNumbers(store, [1])
    const before = disk.files()
    disk.fillUpAfter(bytes)
    await assert.rejects(saveNumbers(store, [1, 2, 3]), DiskFull)
    await store.close()
    assert.deepEqual(
      [...disk.files().keys()].filter((name) => name.endsWith('.tmp')),
      [],
    )
    for (const [name, digest] of before) assert.equal(disk.files().get(name), digest)
    disk.fillUpAfter(Infinity)
    const again = await openStore(disk)
    await readAll(again, await saveNumbers(again, [1, 2, 3]))
    await readAll(again, kept)
  }
})

test('an upload goes on when a disk that was full has room again', async () => {
  for (const bytes of [0, 4, 20]) {
    const disk = new SimDisk(clock())
    const store = await openStore(disk)
    using upload = store.beginUpload()
    disk.fillUpAfter(bytes)
    await assert.rejects(upload.putBlock(blockNumber(1)), DiskFull)
    disk.fillUpAfter(Infinity)
    for (const number of [1, 2]) {
      await store.readBlock(await upload.putBlock(blockNumber(number)))
    }
  }
})

const isRoot = process.getuid?.() === 0

test(
  'a disk that does not fit where it is written leaves nothing there',
  { skip: !isRoot && 'only root can mount a small disk' },
  async (context) => {
    const small = await temporaryFolder(context, (folder) => execFileSync('umount', [folder]))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', small])
    const folder = await temporaryFolder(context)
    const store = await openReal(join(folder, 'store'))
    context.after(() => store.close())
    const manifest = await saveNumbers(store, [1, 2, 3, 4])
    await assert.rejects(store.writeDisk(manifest, join(small, 'disk')), DiskFull)
    assert.deepEqual(await readdir(small), [])

    await cp(join(folder, 'store'), join(small, 'store'), { recursive: true })
    const packs = await readdir(join(small, 'store/packs'))
    const full = await openReal(join(small, 'store'))
    const file = join(folder, 'random')
    const bytes = Buffer.alloc(4 * blockSizeBytes)
    for (let at = 0; at < bytes.length; at += 32) bytes.write(noise(at), at, 'latin1')
    await writeFile(file, bytes)
    const upload = full.beginUpload()
    const source = { sizeBytes: bytes.length, extents: [whole(file, bytes.length)] }
    await assert.rejects(upload.saveDisk(source), DiskFull)
    await readAll(full, manifest)
    upload.close()
    await full.close()
    assert.deepEqual(await readdir(join(small, 'store/packs')), packs)
  },
)

/** Bytes that do not compress. */
const noise = (number: number) => keyOf(digestOf(Buffer.from(`${number}`)))
