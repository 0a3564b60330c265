import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { type Database, transaction, type Tx } from '../db/database.ts'
import { publicDeprecation } from './deprecation.ts'
import { firstSettings } from './image-settings.ts'
import {
  listExpiredImageIds,
  listRecycledImages,
  recycleImage,
  setDeprecation,
  setInstanceTypes,
  setProtection,
} from './life-store.ts'
import { addLaunchPermissions, removeLaunchPermissions } from './permission-store.ts'
import { changeImageSettings, findImageSettings } from './settings-store.ts'
import { changeImageState, findImage, findImageIdByName, insertImage } from './store.ts'
import { anImage } from './testing.ts'

const owner = { accountId: '111111111111', region: 'us-east-1' }
const image = anImage(1)
const { id } = image
const everyone = [{ kind: 'group', grantee: 'all' } as const]

async function startImage(db: Database) {
  const tx = <T>(work: (tx: Tx) => Promise<T>) => transaction(db, work)
  await tx((now) => insertImage(now, image))
  return {
    tx,
    read: async () => {
      const found = await findImage(db, id)
      assert(found)
      return found
    },
  }
}

for (const [name, start] of Object.entries(databases)) {
  describe(`the life of images on ${name}`, () => {
    test('each change is made to what was seen, or not at all', async (context) => {
      const { writes: db } = await start(context)
      const { tx, read } = await startImage(db)
      const seen = await read()
      const at = new Date(120_000)
      assert(await tx((now) => setDeprecation(now, seen, at)))
      assert(!(await tx((now) => setDeprecation(now, { id, isPublic: true }, undefined))))
      const to = { protection: 'enabled-with-cooldown', protectedUntil: new Date(7) } as const
      assert(await tx((now) => setProtection(now, seen, to)))
      assert(!(await tx((now) => setProtection(now, seen, seen))))
      const instanceTypes = { supported: ['t3.*'], unsupported: ['t3.nano'] }
      assert(await tx((now) => setInstanceTypes(now, seen, instanceTypes)))
      const stale = { id, state: 'pending' } as const
      assert(!(await tx((now) => setInstanceTypes(now, stale, undefined))))
      assert.deepEqual(await read(), { ...seen, deprecatesAt: at, ...to, instanceTypes })
    })

    test('a public image is deprecated when it must be, or when it was to be', async (context) => {
      const { writes: db } = await start(context)
      const { tx, read } = await startImage(db)
      const latest = publicDeprecation(image)
      const sooner = new Date(latest.getTime() - 60_000)
      const later = new Date(latest.getTime() + 60_000)
      for (const [before, after] of [
        [undefined, latest],
        [later, latest],
        [sooner, sooner],
      ] as const) {
        await tx((now) => setDeprecation(now, { id, isPublic: false }, before))
        await tx((now) => addLaunchPermissions(now, id, everyone, latest))
        const { isPublic, deprecatesAt } = await read()
        assert.deepEqual({ isPublic, deprecatesAt }, { isPublic: true, deprecatesAt: after })
        assert(await tx((now) => removeLaunchPermissions(now, id, everyone)))
        assert(!(await tx((now) => removeLaunchPermissions(now, id, everyone))))
      }
    })

    test('nothing is shared of an image that is not available', async (context) => {
      const { writes: db } = await start(context)
      const { tx } = await startImage(db)
      await tx((now) =>
        changeImageState(now, { id, from: ['available'], to: 'disabled', at: new Date(1) }),
      )
      await assert.rejects(
        tx((now) => addLaunchPermissions(now, id, everyone)),
        { code: 'InvalidAMIID.Unavailable' },
      )
      assert.equal(await findImageIdByName(db, image), id)
    })

    test('an image is in the bin until its time is over, and its name is free', async (context) => {
      const { writes: db } = await start(context)
      const { tx, read } = await startImage(db)
      const time = { at: new Date(10), exitAt: new Date(20) }
      const seen = await read()
      assert(await tx((now) => recycleImage(now, seen, time)))
      assert(!(await tx((now) => recycleImage(now, seen, time))))
      const [binned] = await listRecycledImages(db, owner)
      assert.deepEqual([binned?.recycledAt, binned?.recycleExitAt], [time.at, time.exitAt])
      assert.deepEqual(await listRecycledImages(db, { ...owner, ids: [] }), [])
      assert.deepEqual(await listRecycledImages(db, { ...owner, region: 'eu-west-1' }), [])
      assert.deepEqual(await listExpiredImageIds(db, new Date(19)), [])
      assert.deepEqual(await listExpiredImageIds(db, new Date(20)), [id])
      assert.equal(await findImageIdByName(db, image), undefined)
    })

    test('settings begin as everybody’s and change one by one', async (context) => {
      const { writes: db } = await start(context)
      assert.deepEqual(await findImageSettings(db, owner), firstSettings)
      const criteria = [{ ImageProviders: ['amazon'] }]
      await transaction(db, async (tx) => {
        await changeImageSettings(tx, owner, { criteria })
        await changeImageSettings(tx, owner, { allowedState: 'audit-mode' })
        await changeImageSettings(tx, owner, { publicAccess: 'unblocked' })
      })
      const settings = { criteria, allowedState: 'audit-mode', publicAccess: 'unblocked' }
      assert.deepEqual(await findImageSettings(db, owner), settings)
      const elsewhere = { ...owner, region: 'eu-west-1' }
      assert.deepEqual(await findImageSettings(db, elsewhere), firstSettings)
    })
  })
}
