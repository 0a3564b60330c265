import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { databases } from '../../test/databases.ts'
import { BlockStore } from '../block-store/block-store.ts'
import { blockSizeBytes } from '../block-store/block.ts'
import { transaction } from '../db/database.ts'
import { freezeReconciler } from '../freezes/reconcile.ts'
import { listWantedFreezes } from '../freezes/store.ts'
import { callerIn } from '../iam/testing.ts'
import { formatId, type Id } from '../lib/ids.ts'
import { addLayer, createVolume, layerPath, topLayer } from '../qemu/layers.ts'
import { Lanes } from '../reconcile/lanes.ts'
import { deleteVolumeRow, findVolumeById, insertVolume } from '../volumes/store.ts'
import { aVolume } from '../volumes/testing.ts'
import { bytesPerGiB } from '../volumes/volume.ts'
import { snapshotReconciler } from './reconcile.ts'
import { removeSnapshot } from './remove.ts'
import { findSnapshot } from './store.ts'
import { takeSnapshots } from './take.ts'

const { id: volumeId } = aVolume(1)
const caller = callerIn('111111111111')
const region = 'us-east-1'
const now = new Date(1_000_000)

/** A volume that is attached to nothing, and what takes snapshots of it. */
async function start(context: TestContext) {
  const db = await databases.sqlite(context)
  const directory = await mkdtemp(join(tmpdir(), 'imago-snapshots-'))
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
  const volumeFolder = (id: string) => join(directory, 'volumes', id)
  const folder = volumeFolder(volumeId)
  await createVolume(folder, { sizeBytes: bytesPerGiB })
  await transaction(db.writes, (tx) =>
    insertVolume(tx, aVolume(1, { accountId: caller.accountId, region })),
  )
  const openDiskKey = async () => assert.fail('nothing is encrypted')
  const files = { db, lanes: new Lanes(), volumeFolder, openDiskKey }
  const freezes = freezeReconciler(files)
  const bases = { isWhole: async () => true }
  const snapshots = snapshotReconciler({ ...files, blockStore, bases, now: () => now })
  const settle = async () => {
    for (;;) {
      const frozen = await freezes.due()
      for (const id of frozen) await freezes.step(id)
      const uploaded = await snapshots.due()
      for (const id of uploaded) await snapshots.step(id)
      if (frozen.length + uploaded.length === 0) return
    }
  }
  return {
    db,
    directory,
    folder,
    blockStore,
    freezes,
    snapshots,
    settle,
    async take(): Promise<Id<'snapshot'>> {
      const { snapshots: taken } = await transaction(db.writes, (tx) =>
        takeSnapshots(
          {
            tx,
            now,
            caller,
            region,
            randomBytes,
            newId: (kind) => formatId(kind, randomBytes(9)),
          },
          {
            instanceId: undefined,
            withReboot: false,
            volumes: [{ volume: { id: volumeId, sizeGiB: 1 }, description: '', tags: [] }],
          },
        ),
      )
      const [snapshot] = taken
      assert(snapshot)
      return snapshot.id
    },
    /** Writes a byte over some blocks of the disk. */
    async write(pattern: number, at: number, blocks: number) {
      const path = layerPath(folder, await topLayer(folder))
      const range = `${at * blockSizeBytes} ${blocks * blockSizeBytes}`
      execFileSync('qemu-io', ['-f', 'qcow2', '-c', `write -q -P ${pattern} ${range}`, path])
    },
    async completed(id: Id<'snapshot'>) {
      const snapshot = await findSnapshot(db.reads, id)
      assert(snapshot?.state === 'completed')
      return snapshot
    },
    /** The first bytes of blocks of the disk as the store has it. */
    async read(id: Id<'snapshot'>, ...blocks: readonly number[]) {
      const path = join(directory, 'disk.raw')
      const snapshot = await findSnapshot(db.reads, id)
      assert(snapshot?.state === 'completed')
      await blockStore.writeDisk(snapshot.manifest, path)
      await using file = await open(path)
      assert.equal((await file.stat()).size, bytesPerGiB)
      const bytes = Buffer.alloc(blocks.length)
      for (const [position, block] of blocks.entries()) {
        await file.read(bytes, position, 1, block * blockSizeBytes)
      }
      await rm(path)
      return [...bytes]
    },
  }
}

test('a snapshot has what the volume held when it was asked for', async (context) => {
  const system = await start(context)
  await system.write(1, 0, 4)
  const id = await system.take()
  for (const freeze of await system.freezes.due()) await system.freezes.step(freeze)
  await system.write(2, 2, 4)
  await system.settle()
  assert.deepEqual(await system.read(id, 0, 1, 2, 3, 4), [1, 1, 1, 1, 0])
  const { fullSizeBytes, layer } = await system.completed(id)
  assert.equal(fullSizeBytes, 4 * blockSizeBytes)
  assert.equal(layer, 1)
})

test('each snapshot of a volume follows on the one before', async (context) => {
  const system = await start(context)
  await system.write(1, 0, 4)
  const first = await system.take()
  await system.settle()
  await system.write(2, 3, 2)
  const second = await system.take()
  await system.settle()
  assert.deepEqual(await system.read(second, 0, 2, 3, 4, 5), [1, 1, 2, 2, 0])
  const snapshot = await system.completed(second)
  assert.equal(snapshot.parentSnapshotId, first)
  assert.equal(snapshot.fullSizeBytes, 5 * blockSizeBytes)
  const volume = await findVolumeById(system.db.reads, volumeId)
  assert.equal(volume?.knownLayer, snapshot.layer)
  assert.equal(volume?.knownManifest, snapshot.manifest)
  assert.equal(volume?.knownSnapshotId, second)
})

test('snapshots that are asked for at once come in the order of their layers', async (context) => {
  const system = await start(context)
  await system.write(1, 0, 1)
  const ids = [await system.take(), await system.take(), await system.take()]
  for (const freeze of await system.freezes.due()) await system.freezes.step(freeze)
  assert.equal((await system.snapshots.due()).length, 1)
  await system.settle()
  const done = await Promise.all(ids.map((id) => system.completed(id)))
  assert.equal(new Set(done.map(({ manifest }) => manifest)).size, 1)
  assert.deepEqual(new Set(done.map(({ layer }) => layer)), new Set([1, 2, 3]))
})

test('a snapshot of a blank volume is a blank disk', async (context) => {
  const system = await start(context)
  const id = await system.take()
  await system.settle()
  assert.deepEqual(await system.read(id, 0, 100), [0, 0])
  assert.equal((await system.completed(id)).fullSizeBytes, 0)
})

test('a freeze that was cut off after its layer was added goes on to the same point', async (context) => {
  const system = await start(context)
  const { writes } = system.db
  await system.write(1, 0, 1)
  const id = await system.take()
  const [freeze] = await listWantedFreezes(writes)
  await writes.updateTable('snapshots').set({ layer: 1 }).where('id', '=', id).execute()
  await addLayer(system.folder, 2)
  assert(freeze)
  await system.freezes.step(freeze.id)
  assert.equal(await topLayer(system.folder), 2)
  await system.settle()
  assert.equal((await system.completed(id)).layer, 1)
})

test('a snapshot that is deleted while it is pending leaves nothing to do', async (context) => {
  const system = await start(context)
  const id = await system.take()
  await transaction(system.db.writes, (tx) => removeSnapshot(tx, id, new Date(1)))
  await system.settle()
  assert.equal(await findSnapshot(system.db.reads, id), undefined)
  assert.deepEqual(await listWantedFreezes(system.db.reads), [])
})

test('a snapshot of a volume that is gone fails', async (context) => {
  const system = await start(context)
  const id = await system.take()
  await transaction(system.db.writes, (tx) => deleteVolumeRow(tx, volumeId))
  await system.settle()
  assert.equal((await findSnapshot(system.db.reads, id))?.state, 'error')
})
