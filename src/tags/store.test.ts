import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { transaction } from '../db/database.ts'
import {
  deleteTagsOf,
  listSharedTags,
  listTags,
  listTagsOfResources,
  putTags,
  removeTags,
} from './store.ts'

const [mine, yours] = ['111111111111', '222222222222']
const region = 'us-east-1'
const image = 'ami-00000000000000001'
const volume = 'vol-00000000000000001'

const onImage = { accountId: mine, region, resourceType: 'image', resourceId: image } as const
const onVolume = { accountId: mine, region, resourceType: 'volume', resourceId: volume } as const

for (const [name, start] of Object.entries(databases)) {
  describe(`tags on ${name}`, () => {
    test('a tag that is put again has the new value', async (context) => {
      const { writes, reads } = await start(context)
      await transaction(writes, async (tx) => {
        await putTags(tx, { ...onImage, tags: [{ key: 'a', value: '1' }] })
        await putTags(tx, {
          ...onImage,
          tags: [
            { key: 'a', value: '2' },
            { key: 'b', value: '' },
          ],
        })
      })
      const tags = await listTags(reads, { accountId: mine })
      assert.deepEqual(tags.get(image), [
        { key: 'a', value: '2' },
        { key: 'b', value: '' },
      ])
    })

    test('each account sees its own tags of a shared resource', async (context) => {
      const { writes, reads } = await start(context)
      await transaction(writes, async (tx) => {
        await putTags(tx, { ...onImage, tags: [{ key: 'name', value: 'mine' }] })
        const tags = [{ key: 'name', value: 'yours' }]
        await putTags(tx, { ...onImage, accountId: yours, tags })
      })
      const shown = { key: 'ec2:SharedTag/os', value: 'tiny' }
      await transaction(writes, (tx) => putTags(tx, { ...onImage, tags: [shown] }))
      const own = { id: image, accountId: mine }
      const others = { id: volume, accountId: mine }
      assert.deepEqual([...(await listSharedTags(reads, [own, others]))], [[image, [shown]]])
      assert.equal((await listSharedTags(reads, [{ ...own, accountId: yours }])).size, 0)
      assert.equal((await listSharedTags(reads, [])).size, 0)
      const query = { accountId: yours, resourceIds: [image] }
      assert.deepEqual((await listTags(reads, query)).get(image), [{ key: 'name', value: 'yours' }])
      await transaction(writes, (tx) => deleteTagsOf(tx, image))
      assert.equal((await listTags(reads, query)).size, 0)
    })

    test('a resource has 50 tags at most', async (context) => {
      const { writes, reads } = await start(context)
      const tags = Array.from({ length: 50 }, (_, index) => ({ key: `k${index}`, value: '' }))
      await transaction(writes, (tx) => putTags(tx, { ...onImage, tags }))
      const oneMore = () =>
        transaction(writes, (tx) => putTags(tx, { ...onImage, tags: [{ key: 'x', value: '' }] }))
      await assert.rejects(oneMore, { code: 'TagLimitExceeded' })
      await transaction(writes, (tx) =>
        putTags(tx, { ...onImage, tags: [{ key: 'k0', value: 'new' }] }),
      )
      assert.equal((await listTags(reads, { accountId: mine })).get(image)?.length, 50)
    })

    test('tags are removed by key, by key and value, or all', async (context) => {
      const { writes, reads } = await start(context)
      const keys = async () =>
        (await listTagsOfResources(reads, { accountId: mine })).map((t) => t.key)
      const tags = ['a', 'b', 'c'].map((key) => ({ key, value: 'v' }))
      await transaction(writes, (tx) => putTags(tx, { ...onImage, tags }))
      const from = { accountId: mine, resourceId: image }
      await transaction(writes, (tx) =>
        removeTags(tx, { ...from, tags: [{ key: 'a' }, { key: 'b', value: 'other' }] }),
      )
      assert.deepEqual(await keys(), ['b', 'c'])
      await transaction(writes, (tx) =>
        removeTags(tx, { ...from, tags: [{ key: 'b', value: 'v' }] }),
      )
      assert.deepEqual(await keys(), ['c'])
      await transaction(writes, (tx) => removeTags(tx, from))
      assert.deepEqual(await keys(), [])
    })

    test('tags are found by kind and by any number of ids', async (context) => {
      const { writes, reads } = await start(context)
      const tags = [{ key: 'a', value: '1' }]
      await transaction(writes, async (tx) => {
        await putTags(tx, { ...onImage, tags })
        await putTags(tx, { ...onVolume, tags })
      })
      const volumes = await listTags(reads, { accountId: mine, region, resourceType: 'volume' })
      assert.deepEqual([...volumes.keys()], [volume])
      const others = Array.from({ length: 1200 }, (_, index) => `vol-${index}`)
      const found = await listTags(reads, {
        accountId: mine,
        resourceIds: [volume, ...others, image],
      })
      assert.deepEqual([...found.keys()].toSorted(), [image, volume])
    })
  })
}
