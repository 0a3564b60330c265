import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { newId, putImage, putInstance } from '../../test/rows.ts'
import { transaction } from '../db/database.ts'
import type { Id } from '../lib/ids.ts'
import type { Association } from './association.ts'
import {
  deleteAssociation,
  deleteAssociationOf,
  findAssociationOf,
  insertAssociation,
  listAssociations,
} from './store.ts'

const owner = { accountId: '111111111111', region: 'us-east-1' } as const

const associationOf = (instanceId: Id<'instance'>): Association => ({
  id: newId('instance-profile-association'),
  ...owner,
  instanceId,
  profileId: 'AIPA00000000000000000',
  profileArn: 'arn:aws:iam::111111111111:instance-profile/web',
  madeAt: new Date(1_000_000),
})

for (const [name, start] of Object.entries(databases)) {
  describe(`associations on ${name}`, () => {
    test('an instance has one profile at most', async (context) => {
      const db = await start(context)
      const { id: imageId } = await putImage(db, owner, { name: 'one' })
      const { id: first } = await putInstance(db, owner, { imageId })
      const { id: second } = await putInstance(db, owner, { imageId })
      const insert = (association: Association) =>
        transaction(db.writes, (tx) => insertAssociation(tx, association))
      const ofFirst = associationOf(first)
      assert(await insert(ofFirst))
      assert(!(await insert(associationOf(first))))
      assert(await insert(associationOf(second)))
      assert.deepEqual(await findAssociationOf(db.reads, first), ofFirst)
      const all = await listAssociations(db.reads, owner)
      assert.deepEqual(new Set(all.map(({ instanceId }) => instanceId)), new Set([first, second]))
      assert.deepEqual(await listAssociations(db.reads, { ...owner, region: 'eu-west-1' }), [])

      const end = () => transaction(db.writes, (tx) => deleteAssociation(tx, ofFirst.id))
      assert(await end())
      assert(!(await end()))
      assert.equal(await findAssociationOf(db.reads, first), undefined)
      for (let time = 0; time < 2; time++) {
        await transaction(db.writes, (tx) => deleteAssociationOf(tx, second))
      }
      assert.deepEqual(await listAssociations(db.reads, owner), [])
    })
  })
}
