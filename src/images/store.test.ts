import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { transaction, type Database } from '../db/database.ts'
import { findVisible } from './find.ts'
import { type NewImage, unlived } from './image.ts'
import { anImage as image } from './testing.ts'
import { addLaunchPermissions, removeLaunchPermissions } from './permission-store.ts'
import {
  changeImageState,
  findImage,
  insertImage,
  listImages,
  listImagesOnSnapshots,
  markLaunched,
} from './store.ts'

const mine = '111111111111'
const yours = '222222222222'
const region = 'us-east-1'

async function insert(db: Database, ...images: readonly NewImage[]): Promise<void> {
  for (const one of images) await transaction(db, (tx) => insertImage(tx, one))
}

for (const [name, start] of Object.entries(databases)) {
  describe(`images on ${name}`, () => {
    test('an image comes back as it was stored', async (context) => {
      const { writes: db } = await start(context)
      const full = image(1, {
        description: 'what it is',
        stateReason: { code: 'Server.InternalError', message: 'because' },
        state: 'failed',
        bootMode: undefined,
        imdsSupport: 'v2.0',
        sourceInstanceId: 'i-00000001',
        sourceImageId: 'ami-00000001',
        sourceImageRegion: region,
      })
      await insert(db, full)
      assert.deepEqual(await findImage(db, full.id), { ...full, ...unlived })
      const at = new Date(5)
      await transaction(db, (tx) => markLaunched(tx, full.id, at))
      assert.deepEqual((await findImage(db, full.id))?.lastLaunchedAt, at)
    })

    test('a name is taken until its image is gone, in one account and Region', async (context) => {
      const { writes: db } = await start(context)
      const first = image(1, { name: 'web', state: 'pending' })
      await insert(
        db,
        first,
        image(2, { name: 'web', region: 'eu-west-1' }),
        image(3, { name: 'web', accountId: yours }),
      )
      await assert.rejects(insert(db, image(4, { name: 'web' })), {
        code: 'InvalidAMIName.Duplicate',
        message: `AMI name web is already in use by AMI ${first.id}`,
      })
      await transaction(db, (tx) =>
        changeImageState(tx, {
          id: first.id,
          from: ['pending', 'available'],
          to: 'deregistered',
          at: new Date(9),
        }),
      )
      await insert(db, image(4, { name: 'web' }))
      assert.deepEqual((await findImage(db, first.id))?.deregisteredAt, new Date(9))
    })

    test('of many calls that want one name at once, one gets it', async (context) => {
      const { writes: db } = await start(context)
      const calls = Array.from({ length: 8 }, (_, number) =>
        insert(db, image(number, { name: 'web' })),
      )
      const results = await Promise.allSettled(calls)
      const refusals = results.flatMap((result) =>
        result.status === 'rejected' ? [result.reason as { code: string }] : [],
      )
      assert.deepEqual(
        refusals.map(({ code }) => code),
        Array.from({ length: 7 }, () => 'InvalidAMIName.Duplicate'),
      )
    })

    test('one sees the images that are one’s own, public, or shared with one', async (context) => {
      const { writes: db } = await start(context)
      await insert(
        db,
        image(1),
        image(2, { accountId: yours }),
        image(3, { accountId: yours }),
        image(4, { accountId: yours }),
        image(5, { accountId: yours, region: 'eu-west-1', isPublic: true }),
        image(6, { state: 'deregistered' }),
      )
      await transaction(db, async (tx) => {
        await addLaunchPermissions(tx, image(3).id, [{ kind: 'group', grantee: 'all' }])
        await addLaunchPermissions(tx, image(4).id, [{ kind: 'user', grantee: mine }])
      })
      const seen = async (query: object) =>
        (await listImages(db, { viewer: { accountId: mine }, region, ...query })).map(({ id }) =>
          Number(id.slice(4)),
        )
      assert.deepEqual(await seen({}), [1, 3, 4])
      assert.deepEqual(await seen({ ownerIds: [mine] }), [1])
      assert.deepEqual(await seen({ ownerIds: [yours] }), [3, 4])
      assert.deepEqual(await seen({ isPublic: true, sharedWith: [] }), [3])
      assert.deepEqual(await seen({ sharedWith: [{ kind: 'user', grantee: mine }] }), [4])
      assert.deepEqual(
        await seen({ isPublic: true, sharedWith: [{ kind: 'user', grantee: mine }] }),
        [3, 4],
      )
      assert.deepEqual(await seen({ names: ['image-3', 'image-2'] }), [3])
      assert.deepEqual(await seen({ after: image(1).id, limit: 1 }), [3])
      assert.deepEqual(await seen({ ids: [image(1).id, image(2).id] }), [1])
      const { id } = image(3)
      assert(await findVisible(db, { accountId: mine, region, id }))
      await transaction(db, (tx) => removeLaunchPermissions(tx, id))
      assert.equal(await findVisible(db, { accountId: mine, region, id }), undefined)
    })

    test('a snapshot is in use by the images that are registered on it', async (context) => {
      const { writes: db } = await start(context)
      await insert(db, image(1), image(2), image(3, { state: 'deregistered' }))
      const id = 'snap-00000000000000001'
      const users = await listImagesOnSnapshots(db, [id])
      assert.deepEqual(users.get(id), [image(1).id, image(2).id])
    })
  })
}
