import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { databases } from '../../test/databases.ts'
import { nextFeed } from '../advisories/feed.ts'
import { readRecord } from '../advisories/osv.ts'
import { putRecords, summarizeAdvisories } from '../advisories/store.ts'
import { MissingBlock } from '../block-store/errors.ts'
import { type Connections, transaction } from '../db/database.ts'
import { imageReconciler } from '../images/reconcile.ts'
import { insertImage } from '../images/store.ts'
import { anImage } from '../images/testing.ts'
import { KeyUnusable } from '../kms/key-trouble.ts'
import { makeDisk } from '../../test/made-disk.ts'
import { digestOf } from '../lib/digest.ts'
import { insertBundle } from '../bundles/store.ts'
import { insertSnapshot } from '../snapshots/store.ts'
import { aSnapshot } from '../snapshots/testing.ts'
import { disksOf } from './disks-of.ts'
import { scanReconciler } from './reconcile.ts'
import { countScans, findScan, insertScan, listDueScans, listScanResults } from './store.ts'
import { debianRelease, dpkgParagraph, osvRecord, vectors } from './testing.ts'

const disk = digestOf(Buffer.from('a scanned disk'))
const at = (hours: number) => new Date(Date.UTC(2026, 0, 1, hours))

async function feedOf({ writes }: Connections, records: readonly object[], hours: number) {
  return await transaction(writes, async (tx) => {
    const older = await putRecords(tx, records.map(readRecord))
    await nextFeed(tx, at(hours))
    return older
  })
}

/** The disk as the block store would have it, in one block. */
async function storeOf(context: TestContext, status: string) {
  const { read } = await makeDisk(
    context,
    { 'etc/os-release': debianRelease, 'var/lib/dpkg/status': status },
    { sizeKiB: 512, options: ['-O', '^has_journal'] },
  )
  const block = Buffer.alloc(512 * 1024)
  await read(block, 0, block.length, 0)
  const key = Buffer.alloc(32, 1)
  let blocksRead = 0
  return {
    blocksRead: () => blocksRead,
    hasManifest: () => true,
    readManifest: async () => ({ sizeBytes: block.length, indexes: Uint32Array.of(0), keys: key }),
    readBlock: async () => {
      blocksRead++
      return block
    },
  }
}

for (const [name, start] of Object.entries(databases)) {
  describe(`scans on ${name}`, () => {
    test('a disk is read once, and judged with every feed', async (context) => {
      const db = await start(context)
      const status = `${dpkgParagraph('bash', '5.2.15-2')}\n${dpkgParagraph('openssl', '3.0.11-1')}`
      const store = await storeOf(context, status)
      let hour = 1
      const reconciler = scanReconciler({
        db,
        blockStore: store as never,
        openDiskKey: async () => assert.fail('nothing is encrypted'),
        now: () => at(hour),
      })
      const scan = async () => {
        for (const one of await reconciler.due()) assert.equal(await reconciler.step(one), 'moved')
        assert.deepEqual(await reconciler.due(), [])
        return {
          findings: (await findScan(db.reads, disk))?.findings ?? [],
          results: (await listScanResults(db.reads, [disk])).get(disk),
        }
      }
      await transaction(db.writes, (tx) => insertScan(tx, { disk, kmsKeyArn: undefined }))
      await transaction(db.writes, (tx) => insertScan(tx, { disk, kmsKeyArn: undefined }))
      // Without advisories nothing is read.
      assert.deepEqual(await scan(), { findings: [], results: undefined })
      assert.equal(store.blocksRead(), 0)

      await feedOf(
        db,
        [osvRecord(1, 'openssl', { vector: vectors.critical }), osvRecord(2, 'bash')],
        1,
      )
      const first = await scan()
      const shown = first.findings.map(({ vulnerability, label, hasFix, firstObservedAtMs }) => [
        vulnerability,
        label,
        hasFix,
        firstObservedAtMs,
      ])
      assert.deepEqual(shown, [
        ['CVE-2026-1001', 'critical', false, at(1).getTime()],
        ['CVE-2026-1002', undefined, false, at(1).getTime()],
      ])
      assert.deepEqual(first.results, {
        scannedAtMs: at(1).getTime(),
        highest: 'critical',
        fixSinceMs: {},
        counts: { critical: 1, untriaged: 1 },
      })
      const readOnce = store.blocksRead()
      assert(readOnce > 0)

      hour = 2
      const [fixed, modified] = ['3.0.14-1', '2026-01-02T00:00:00Z']
      const newer = osvRecord(1, 'openssl', { vector: vectors.critical, fixed, modified })
      const older = osvRecord(1, 'openssl', { vector: vectors.low })
      assert.equal(await feedOf(db, [newer, older, osvRecord(3, 'gone')], 2), 1)
      assert.equal(await feedOf(db, [older], 2), 1)
      hour = 3
      const second = await scan()
      assert.deepEqual(second.findings[0], {
        ...first.findings[0],
        hasFix: true,
        updatedAtMs: at(3).getTime(),
        fixSinceMs: at(3).getTime(),
      })
      assert.deepEqual(second.findings[1], first.findings[1])
      assert.deepEqual(second.results?.fixSinceMs, { critical: at(3).getTime() })

      hour = 9
      await feedOf(db, [], 4)
      const third = await scan()
      assert.deepEqual(third.findings, second.findings)
      assert.equal(third.results?.scannedAtMs, at(9).getTime())
      assert.deepEqual(third.results?.fixSinceMs, { critical: at(3).getTime() })

      const last = { modified: '2026-01-03T00:00:00Z', withdrawn: modified }
      const reread = osvRecord(1, 'openssl', { ...last, withdrawn: undefined as never, fixed: '3' })
      await feedOf(db, [reread, osvRecord(2, 'bash', last)], 5)
      assert.deepEqual((await scan()).findings, [])
      assert.equal(store.blocksRead(), readOnce)
      assert.deepEqual(await summarizeAdvisories(db.reads), [
        { ecosystem: 'Debian:12', records: 2, modifiedAt: new Date(last.modified) },
      ])
    })

    test('an image is to be scanned from when it is available, with a disk from a bundle too', async (context) => {
      const db = await start(context)
      const ebs = anImage(1, { state: 'pending' })
      const bundled = anImage(2, {
        state: 'pending',
        rootDeviceType: 'instance-store',
        blockDevices: [],
      })
      const snapshot = aSnapshot(1)
      await transaction(db.writes, async (tx) => {
        await insertSnapshot(tx, snapshot)
        await insertImage(tx, ebs)
        await insertImage(tx, bundled)
        await insertBundle(tx, { imageId: bundled.id, source: undefined, disk, sizeBytes: 1 })
      })
      const due = () => listDueScans(db.reads, { feed: 1, limit: 5 })
      assert.deepEqual(await due(), [])
      const images = imageReconciler({ db, now: () => at(1) })
      for (const id of await images.due()) assert.equal(await images.step(id), 'moved')
      assert.deepEqual(await due(), [disk, snapshot.manifest].toSorted())
      const disks = await disksOf(db.reads, [ebs, bundled])
      assert.deepEqual([...disks.values()].map(({ disk: one }) => one).toSorted(), await due())
    })

    test('a disk that cannot be read is tried again with the next feed', async (context) => {
      const db = await start(context)
      const store = await storeOf(context, dpkgParagraph('bash', '5.2.15-2'))
      let isThere = false
      let hasManifest = true
      const reconciler = scanReconciler({
        db,
        blockStore: {
          ...store,
          hasManifest: () => hasManifest,
          readBlock: async () => {
            if (isThere) return await store.readBlock()
            throw new MissingBlock(disk)
          },
        } as never,
        openDiskKey: async () => assert.fail('nothing is encrypted'),
        now: () => at(1),
      })
      await transaction(db.writes, (tx) => insertScan(tx, { disk, kmsKeyArn: undefined }))
      await feedOf(db, [osvRecord(2, 'bash')], 1)
      await assert.rejects(reconciler.step(disk), MissingBlock)
      await reconciler.giveUp?.(disk, new Error('x'))
      assert.deepEqual(await reconciler.due(), [])
      await reconciler.giveUp?.(disk, new KeyUnusable('arn:of-a-key', 'is disabled.'))
      assert.deepEqual(await countScans(db.reads), [
        { problem: 'its key cannot be used', disks: 1 },
      ])
      await reconciler.giveUp?.(disk, new Error('x'))
      const problem = 'its blocks cannot be read'
      assert.deepEqual(await countScans(db.reads), [{ problem, disks: 1 }])
      await feedOf(db, [], 2)
      isThere = true
      assert.equal(await reconciler.step(disk), 'moved')
      assert.deepEqual(await countScans(db.reads), [{ problem: undefined, disks: 1 }])
      // What is on no image any more is forgotten.
      await feedOf(db, [], 3)
      hasManifest = false
      assert.equal(await reconciler.step(disk), 'moved')
      assert.equal(await findScan(db.reads, disk), undefined)
      assert.equal(await reconciler.step(disk), 'waiting')
    })
  })
}
