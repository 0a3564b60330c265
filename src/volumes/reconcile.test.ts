import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { access, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { databases } from '../../test/databases.ts'
import { snapshotRow } from '../../test/rows.ts'
import { baseReconciler } from '../bases/reconcile.ts'
import { blockSizeBytes, keyOf } from '../block-store/block.ts'
import { CorruptBlock, DiskTooLarge } from '../block-store/errors.ts'
import { BlockStore } from '../block-store/block-store.ts'
import { manifestOf } from '../block-store/manifest.ts'
import { transaction } from '../db/database.ts'
import { isKeyUnusable, KeyUnusable } from '../kms/key-trouble.ts'
import type { Digest } from '../lib/digest.ts'
import type { Id } from '../lib/ids.ts'
import type { Fields } from '../lib/log.ts'
import { baseName } from '../qemu/base-files.ts'
import { addLayer, chainOf, createVolume, layerPath, topLayer } from '../qemu/layers.ts'
import { mapVolume } from '../qemu/map-volume.ts'
import { createOverlay } from '../qemu/qcow2.ts'
import { Lanes } from '../reconcile/lanes.ts'
import { failSnapshot, findSnapshot, insertSnapshot } from '../snapshots/store.ts'
import { aPendingSnapshot } from '../snapshots/testing.ts'
import { Bases } from './bases.ts'
import { cipherUnder, keysOfVolume } from './disk-keys.ts'
import { volumeReconciler } from './reconcile.ts'
import {
  changeVolumeState,
  deleteVolumeRow,
  findVolumeById,
  insertVolume,
  setKnown,
} from './store.ts'
import { aVolume } from './testing.ts'
import type { Volume } from './volume.ts'

const now = new Date(1_000_000)
const usable = 'arn:aws:kms:us-east-1:111111111111:key/usable'
const diskKey = randomBytes(32)

const blank = aVolume(1, { state: 'creating', createdAt: now })
const { id } = blank

async function start(context: TestContext) {
  const db = await databases.sqlite(context)
  const directory = await mkdtemp(join(tmpdir(), 'imago-volumes-'))
  const openDiskKey = async (arn: string) => {
    if (arn === usable) return diskKey
    throw new KeyUnusable(arn, 'is disabled.')
  }
  const blockStore = await BlockStore.open({
    folder: join(directory, 'blocks'),
    now: () => now,
    graceMs: 0,
    workers: 0,
  })
  context.after(async () => {
    await blockStore.close()
    await rm(directory, { recursive: true })
  })
  const logged: string[] = []
  const log = {
    info() {},
    warn() {},
    error(message: string, fields: Fields = {}) {
      logged.push(`${message} ${String(fields['error'])}`)
    },
  }
  const bases = new Bases({ folder: join(directory, 'bases'), blockStore, openDiskKey, log })
  const volumeFolder = (volumeId: Id<'volume'>) => join(directory, 'volumes', volumeId)
  const reconciler = volumeReconciler({
    db,
    bases,
    lanes: new Lanes(),
    volumeFolder,
    openDiskKey,
    now: () => now,
    log,
  })
  return {
    db,
    directory,
    blockStore,
    bases,
    logged,
    folder: volumeFolder(id),
    reconciler,
    settle: async () => {
      for (const due of await reconciler.due()) await reconciler.step(due)
    },
    state: async () => (await findVolumeById(db.reads, id))?.state,
    insert: (volume: Volume) => transaction(db.writes, (tx) => insertVolume(tx, volume)),
  }
}

/** Puts a disk into the store whose first bytes are these. */
async function store(blockStore: BlockStore, directory: string, bytes: Buffer): Promise<Digest> {
  const file = join(directory, 'disk.raw')
  await writeFile(file, bytes)
  using upload = blockStore.beginUpload()
  const extents = [{ start: 0, length: bytes.length, file, fileOffset: 0 }]
  return (await upload.saveDisk({ sizeBytes: 2 ** 30, extents })).manifest
}

test('a blank volume becomes available when its file is there', async (context) => {
  const { insert, settle, state, folder } = await start(context)
  await insert(blank)
  await settle()
  assert.equal(await state(), 'available')
  const { basePath, sizeBytes } = await chainOf(folder, 1)
  assert.deepEqual([basePath, sizeBytes], [undefined, 2 ** 30])
})

test('volumes of one snapshot share one base, however many are made at once', async (context) => {
  const { insert, reconciler, directory, blockStore, bases, db } = await start(context)
  const bytes = randomBytes(1_000_000)
  const baseManifest = await store(blockStore, directory, bytes)
  const ids = [1, 2, 3, 4].map((n): Id<'volume'> => `vol-0000000000000000${n}`)
  for (const one of ids) await insert({ ...blank, id: one, baseManifest })
  await Promise.all((await reconciler.due()).map((one) => reconciler.step(one)))
  const paths = ids.map((one) => join(directory, 'volumes', one))
  const chains = await Promise.all(paths.map((path) => chainOf(path, 1)))
  for (const one of ids) assert.equal((await findVolumeById(db.reads, one))?.state, 'available')
  const [base, ...others] = bases.unfinished()
  assert(base)
  assert.deepEqual(others, [])
  await bases.make(base)
  assert.deepEqual(await readdir(join(directory, 'bases')), [base])
  for (const { basePath } of chains) assert.equal(basePath, join(directory, 'bases', base))
  const made = await readFile(join(directory, 'bases', base))
  assert.equal(made.length, 2 ** 30)
  assert(made.subarray(0, bytes.length).equals(bytes))
})

test('an encrypted volume of a plain disk lies over a base under its own key', async (context) => {
  const { insert, settle, state, folder, directory, blockStore, bases } = await start(context)
  const bytes = Buffer.alloc(1_000_000).fill('what nobody is to read in a file. ')
  const baseManifest = await store(blockStore, directory, bytes)
  await insert({ ...blank, baseManifest, kmsKeyArn: usable })
  await settle()
  assert.equal(await state(), 'available')
  const { basePath = '', isEncrypted } = await chainOf(folder, 1)
  assert(isEncrypted && basePath.endsWith('.luks'), basePath)
  for (const name of bases.unfinished()) await bases.make(name)
  const file = await readFile(basePath)
  assert(!file.includes('what nobody'))
  // Of a disk of one GiB it has the blocks that are not zero, and its tables.
  assert(file.length < 8 * 2 ** 20, String(file.length))

  const volume = { id, baseManifest, kmsKeyArn: usable } as const
  const keys = await keysOfVolume(volume, async () => diskKey)
  const { sizeBytes, extents } = await mapVolume(folder, { upTo: 1, keys })
  const cipher = await cipherUnder(usable, async () => diskKey)
  using upload = blockStore.beginUpload(cipher)
  const { manifest } = await upload.saveDisk({ sizeBytes, extents })
  const raw = join(directory, 'raw')
  await blockStore.writeDisk(manifest, raw, { cipher })
  await using opened = await open(raw)
  assert.equal((await opened.stat()).size, 2 ** 30)
  const read = Buffer.alloc(2 * bytes.length)
  await opened.read(read, 0, read.length, 0)
  assert(read.equals(Buffer.concat([bytes, Buffer.alloc(bytes.length)])))
})

test('a volume whose key is not to be used is not made, and leaves no file', async (context) => {
  const { insert, reconciler, state, directory, blockStore, db } = await start(context)
  const baseManifest = await store(blockStore, directory, randomBytes(1000))
  await insert({ ...blank, baseManifest, kmsKeyArn: 'arn:aws:kms:us-east-1:1:key/disabled' })
  const failed = await reconciler.step(id).catch((error: unknown) => error)
  assert(isKeyUnusable(failed))
  await reconciler.giveUp?.(id, failed)
  assert.equal(await state(), 'error')
  const { stateMessage } = (await findVolumeById(db.reads, id)) ?? {}
  assert.match(
    stateMessage ?? '',
    /incorrect state: arn:aws:kms:us-east-1:1:key\/disabled is disabled/,
  )
  for (const folder of ['bases', 'volumes']) {
    assert.deepEqual(await readdir(join(directory, folder)).catch(() => []), [])
  }
})

test('a base that no volume names is removed, one that is named stays', async (context) => {
  const { bases, directory, blockStore } = await start(context)
  const stays = { manifest: await store(blockStore, directory, randomBytes(1000)) }
  const kept = await bases.ensure({ base: stays, storedKeyArn: undefined })
  const goes = { manifest: await store(blockStore, directory, randomBytes(1000)) }
  const removed = await bases.ensure({ base: goes, storedKeyArn: undefined })
  // The same disk under a key is another base.
  assert.equal(await bases.collect(async () => [stays, { ...goes, keyId: 'arn:aws:kms:…' }]), 1)
  await access(kept)
  await assert.rejects(access(removed), { code: 'ENOENT' })
  assert.equal(await bases.ensure({ base: goes, storedKeyArn: undefined }), removed)
})

test('what is damaged of a disk is told by its name, and the rest is read and made', async (context) => {
  const { insert, settle, state, bases, logged, directory, blockStore } = await start(context)
  const bytes = Buffer.concat([randomBytes(blockSizeBytes), randomBytes(blockSizeBytes)])
  const manifest = await store(blockStore, directory, bytes)
  const [pack = ''] = await readdir(join(directory, 'blocks', 'packs'))
  await using file = await open(join(directory, 'blocks', 'packs', pack), 'r+')
  await file.write(Buffer.from('damaged'), 0, 7, 100)
  await insert({ ...blank, baseManifest: manifest })
  await settle()
  assert.equal(await state(), 'available')

  const source = { base: { manifest }, storedKeyArn: undefined }
  using content = await bases.open(source)
  const blocks = []
  for (const at of [0, blockSizeBytes]) blocks.push(await content.read(at, blockSizeBytes))
  const damaged = blocks.indexOf(undefined)
  const whole = Buffer.concat(blocks[1 - damaged] ?? [])
  assert(whole.equals(bytes.subarray(...rangeOf(1 - damaged))))
  assert.match(String(logged), /a machine reads what is damaged .*The content of block sha256:/)
  const [name = ''] = bases.unfinished()
  await assert.rejects(bases.make(name), { name: 'CorruptBlock' })
  assert.equal(await bases.isWhole(source), false)
  const why = new CorruptBlock(manifest, 'a pack')
  bases.fail(name, why)
  await assert.rejects(bases.isWhole(source), why)
  assert.deepEqual(await bases.progress(source.base), { percent: 0, isDamaged: true })
})

test('a disk larger than a file can be is said to be, and read all the same', async (context) => {
  const { bases, blockStore } = await start(context)
  using upload = blockStore.beginUpload()
  const block = randomBytes(blockSizeBytes)
  const sizeBytes = 2 ** 46
  const at = sizeBytes - blockSizeBytes
  const blocks = new Map([[at / blockSizeBytes, keyOf(await upload.putBlock(block))]])
  const source = {
    base: { manifest: await upload.putManifest(manifestOf(sizeBytes, blocks)) },
    storedKeyArn: undefined,
  }
  await bases.prepare(source)
  const [name = ''] = bases.unfinished()
  const failed = await bases.make(name).catch((error: unknown) => error)
  if (failed === undefined) return // There are such files here, as on XFS.
  assert(failed instanceof DiskTooLarge)
  assert.match(failed.message, /^A disk of 65536 GiB is larger/)
  assert.equal(await bases.isWhole(source), false)
  bases.fail(name, failed)
  await assert.rejects(bases.isWhole(source), failed)
  using content = await bases.open(source)
  const read = await content.read(at, blockSizeBytes)
  assert(block.equals(Buffer.concat(read ?? [])))
})

test('of a disk, any bytes are read as they are, and zeros where it has none', async (context) => {
  const { bases, directory, blockStore } = await start(context)
  const bytes = Buffer.concat([
    randomBytes(blockSizeBytes + 1000),
    Buffer.alloc(2 * blockSizeBytes),
  ])
  const manifest = await store(blockStore, directory, bytes)
  const source = { base: { manifest }, storedKeyArn: undefined }
  await assert.rejects(
    bases.open({ ...source, storedKeyArn: 'arn:aws:kms:disabled' }),
    isKeyUnusable,
  )
  using content = await bases.open(source)
  using _again = await bases.open(source)
  assert.equal(content.sizeBytes, 2 ** 30)
  for (const [at, length] of [
    [0, 512],
    [blockSizeBytes - 512, 1024],
    [blockSizeBytes, 2 * blockSizeBytes],
    [7, 0],
  ] as const) {
    const read = await content.read(at, length)
    assert(read && Buffer.concat(read).equals(bytes.subarray(at, at + length)))
  }
  const end = await content.read(2 ** 30 - 512, 512)
  assert.deepEqual(end && Buffer.concat(end), Buffer.alloc(512))
})

test('a base that nobody wants any more is made no further', async (context) => {
  const { bases, db, directory, blockStore, insert } = await start(context)
  const baseManifest = await store(blockStore, directory, randomBytes(1_000_000))
  const signal = new AbortController().signal
  const log = { info() {}, warn() {}, error() {} }
  const reconciler = baseReconciler({ db, bases, now: () => now, log, signal })
  await insert({ ...blank, state: 'available', baseManifest })
  // What a program before us left is found by its row.
  const [name = ''] = await reconciler.due()
  assert.equal(name, baseName({ manifest: baseManifest }))
  await transaction(db.writes, (tx) => deleteVolumeRow(tx, id))
  assert.deepEqual(await reconciler.due(), [])
  await bases.make(name)
  assert.deepEqual(await readdir(join(directory, 'bases')), [])
})

const rangeOf = (index: number) => [index * blockSizeBytes, (index + 1) * blockSizeBytes] as const

test('a volume whose base cannot be had ends in error', async (context) => {
  const { insert, reconciler, state } = await start(context)
  await insert({ ...blank, baseManifest: `sha256:${'0'.repeat(64)}` })
  await assert.rejects(reconciler.step(id))
  assert.equal(await state(), 'creating')
  await reconciler.giveUp?.(id, new Error('missing'))
  assert.equal(await state(), 'error')
})

test('a deleted volume is gone with its files, once no snapshot reads them', async (context) => {
  const { db, insert, settle, state, folder } = await start(context)
  await insert(blank)
  await settle()
  await transaction(db.writes, async (tx) => {
    await insertSnapshot(tx, aPendingSnapshot(1, { volumeId: id, layer: 1 }))
    await changeVolumeState(tx, { id, from: 'available', to: 'deleting' })
  })
  await settle()
  assert.equal(await state(), 'deleting')
  await access(folder)
  await db.writes.updateTable('snapshots').set({ state: 'error' }).execute()
  await settle()
  assert.equal(await state(), undefined)
  await assert.rejects(access(folder), { code: 'ENOENT' })
})

test('layers whose content is known are merged when there are many', async (context) => {
  const { db, insert, settle, folder, reconciler } = await start(context)
  await createVolume(folder, { sizeBytes: 2 ** 30 })
  for (const layer of [2, 3]) await addLayer(folder, layer)
  // What a merge left that was killed: nothing leads to it any more.
  await createOverlay({ path: layerPath(folder, 3), sizeBytes: 2 ** 30 })
  await insert({ ...blank, state: 'available' })
  await settle()
  assert.deepEqual(await readdir(folder), ['3.qcow2'])
  for (const layer of [4, 5, 6, 7, 8]) await addLayer(folder, layer)
  const know = (layer: number) =>
    transaction(db.writes, (tx) =>
      setKnown(tx, {
        id,
        layer,
        manifest: `sha256:${'0'.repeat(64)}`,
        snapshotId: 'snap-00000000000000001',
      }),
    )
  await know(3)
  assert.deepEqual(await reconciler.due(), [])
  await know(7)
  await settle()
  const { layers } = await chainOf(folder, await topLayer(folder))
  assert.deepEqual(
    layers.map(({ layer }) => layer),
    [8, 3],
  )
  assert.deepEqual(await reconciler.due(), [])
})

test('a copy waits for its moment, and ends in error where that never comes', async (context) => {
  const { db, insert, reconciler, settle, state } = await start(context)
  const other = 'vol-00000000000000002'
  await insert({ ...blank, sourceVolumeId: other })
  const moment = {
    ...snapshotRow(blank, { volumeId: other, copyVolumeId: id }),
    state: 'pending' as const,
  }
  await transaction(db.writes, (tx) => insertSnapshot(tx, moment))
  assert.deepEqual(await reconciler.due(), [])
  assert.equal(await reconciler.step(id), 'waiting')
  assert.equal(await state(), 'creating')
  await transaction(db.writes, (tx) => failSnapshot(tx, { id: moment.id, message: 'no disk' }))
  await settle()
  assert.equal(await state(), 'error')
  assert.equal((await findVolumeById(db.reads, id))?.stateMessage, 'no disk')
  assert.equal(await findSnapshot(db.reads, moment.id), undefined)
})
