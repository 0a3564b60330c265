/** Quotas: what is one too many is refused, and nothing is left of the attempt. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { transaction } from '../db/database.ts'
import { callerIn } from '../iam/testing.ts'
import { modifyImageAttribute } from './operations/modify-image-attribute.ts'
import { listLaunchPermissions } from './permission-store.ts'
import { publicImagesMax, shareTargetsMax } from './quota.ts'
import { changeImageSettings } from './settings-store.ts'
import { changeImageState, countImages, findImage, insertImage } from './store.ts'
import { anImage } from './testing.ts'

const accountId = '111111111111'
const region = 'us-east-1'

for (const name of ['sqlite', 'postgres'] satisfies (keyof typeof databases)[]) {
  test(`an account has so many images in a Region and no more, on ${name}`, async (context) => {
    const { writes } = await databases[name](context)
    const insert = (number: number, changes = {}) =>
      transaction(writes, (tx) => insertImage(tx, anImage(number, changes), 3))
    for (const number of [1, 2, 3])
      await insert(number, { state: number === 1 ? 'pending' : 'available' })
    await assert.rejects(insert(4), { code: 'ResourceLimitExceeded' })
    assert.equal(await findImage(writes, anImage(4).id), undefined)
    await insert(5, { region: 'us-west-2' })
    await insert(6, { accountId: '222222222222' })
    const move = (to: 'recycled' | 'deregistered') =>
      transaction(writes, (tx) =>
        changeImageState(tx, {
          id: anImage(2).id,
          from: ['available', 'recycled'],
          to,
          at: new Date(2),
        }),
      )
    // What is in the bin counts; what is gone does not.
    await move('recycled')
    await assert.rejects(insert(7), { code: 'ResourceLimitExceeded' })
    await move('deregistered')
    await insert(8)
    assert.equal(await countImages(writes, { accountId, region }), 3)
  })
}

test('an account has few public images, and an image so many that it is shared with', async (context) => {
  const { writes } = await databases.sqlite(context)
  await transaction(writes, async (tx) => {
    await changeImageSettings(tx, { accountId, region }, { publicAccess: 'unblocked' })
    for (let number = 0; number <= publicImagesMax; number++) await insertImage(tx, anImage(number))
  })
  const caller = callerIn(accountId)
  const share = (number: number, input: object) =>
    transaction(writes, async (tx) =>
      modifyImageAttribute.run({
        tx,
        caller,
        region,
        input: { ImageId: anImage(number).id, LaunchPermission: input },
      } as never),
    )
  const Add = [{ Group: 'all' }]
  for (let number = 0; number < publicImagesMax; number++) await share(number, { Add })
  const last = publicImagesMax
  await assert.rejects(share(last, { Add }), { code: 'ResourceLimitExceeded' })
  assert.equal((await findImage(writes, anImage(last).id))?.isPublic, false)
  // To say it again of one that is public takes nothing, and one that is private makes room.
  await share(0, { Add })
  await share(0, { Remove: Add })
  await share(last, { Add })

  const accounts = (first: number, count: number) =>
    Array.from({ length: count }, (_, at) => ({ UserId: String(200_000_000_000 + first + at) }))
  await share(0, { Add: accounts(0, shareTargetsMax) })
  await assert.rejects(share(0, { Add: accounts(shareTargetsMax, 1) }), {
    code: 'ResourceLimitExceeded',
  })
  // One goes, one comes.
  await share(0, { Add: accounts(shareTargetsMax, 1), Remove: accounts(0, 1) })
  assert.equal((await listLaunchPermissions(writes, anImage(0).id)).length, shareTargetsMax)
})
