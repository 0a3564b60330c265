import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { putInstance } from '../../test/rows.ts'
import { transaction } from '../db/database.ts'
import { listWantedBases } from '../garbage/wanted-bases.ts'
import { anImage } from '../images/testing.ts'
import { insertImage, markLaunched } from '../images/store.ts'
import {
  deleteRoot,
  findInstanceRoot,
  insertRoot,
  listInstanceRoots,
} from '../instances/root-store.ts'
import { listLiveManifests } from '../snapshots/live-manifests.ts'
import type { ImageBundle } from './bundle.ts'
import {
  claimBundle,
  completeBundle,
  deleteBundle,
  findImageBundle,
  insertBundle,
  listBundleDisks,
  listDueBundles,
} from './store.ts'

const disk = `sha256:${'d'.repeat(64)}` as const
const source = { bucket: 'b', key: 'k', digest: `sha256:${'e'.repeat(64)}` as const }
const sizeBytes = 3 * 2 ** 31

for (const [name, start] of Object.entries(databases)) {
  describe(`bundles on ${name}`, () => {
    test('a disk is named from when it is there until its image and its instances are gone', async (context) => {
      const connections = await start(context)
      const { writes } = connections
      const image = anImage(1, {
        state: 'pending',
        rootDeviceType: 'instance-store',
        blockDevices: [],
      })
      const bundle: ImageBundle = { imageId: image.id, source, disk: undefined, sizeBytes }
      await transaction(writes, async (tx) => {
        await insertImage(tx, image)
        await insertBundle(tx, bundle)
      })
      assert.deepEqual(await findImageBundle(writes, image.id), bundle)
      assert.deepEqual(await listDueBundles(writes), [image.id])
      assert.deepEqual(await listLiveManifests(writes), [])

      const done = { imageId: image.id, disk }
      assert(await transaction(writes, (tx) => completeBundle(tx, done)))
      assert(!(await transaction(writes, (tx) => completeBundle(tx, done))))
      assert.deepEqual(await listDueBundles(writes), [])
      assert.deepEqual(await transaction(writes, (tx) => claimBundle(tx, image.id)), {
        ...bundle,
        disk,
      })
      assert.deepEqual([...(await listBundleDisks(writes))], [[image.id, disk]])
      assert.deepEqual(await listLiveManifests(writes), [disk])

      const { accountId, region } = image
      const owner = { accountId, region }
      const instance = await putInstance(connections, owner, {
        imageId: image.id,
        rootDeviceType: 'instance-store',
      })
      const root = { instanceId: instance.id, disk, sizeBytes }
      await transaction(writes, (tx) => insertRoot(tx, root))
      assert.deepEqual(await findInstanceRoot(writes, instance.id), root)
      assert.equal([...(await listWantedBases(writes))].length, 1)
      await transaction(writes, (tx) => deleteBundle(tx, image.id))
      assert.equal(await transaction(writes, (tx) => claimBundle(tx, image.id)), undefined)
      assert.deepEqual(await listLiveManifests(writes), [disk])
      assert.deepEqual([...(await listInstanceRoots(writes))], [[instance.id, disk]])
      await transaction(writes, (tx) => deleteRoot(tx, instance.id))
      assert.deepEqual(await listLiveManifests(writes), [])
      assert.equal([...(await listWantedBases(writes))].length, 0)
    })

    test('a copy has its disk from the call on, and a launched image keeps its base', async (context) => {
      const { writes } = await start(context)
      const image = anImage(2, { rootDeviceType: 'instance-store', blockDevices: [] })
      const bundle: ImageBundle = { imageId: image.id, source: undefined, disk, sizeBytes: 512 }
      await transaction(writes, async (tx) => {
        await insertImage(tx, image)
        await insertBundle(tx, bundle)
      })
      assert.deepEqual(await findImageBundle(writes, image.id), bundle)
      assert.deepEqual(await listDueBundles(writes), [])
      assert.equal([...(await listWantedBases(writes))].length, 0)
      await transaction(writes, (tx) => markLaunched(tx, image.id, new Date(5)))
      assert.equal([...(await listWantedBases(writes))].length, 1)
    })
  })
}
