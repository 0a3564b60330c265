import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { snapshotRow } from '../../test/rows.ts'
import { transaction } from '../db/database.ts'
import { findVolumeById, insertVolume, setBase } from '../volumes/store.ts'
import { aVolume } from '../volumes/testing.ts'
import { findSnapshotOfCopy, listSnapshotsOfCopies, listWaitingCopies } from './copy-store.ts'
import { deleteSnapshotRow, failSnapshot, insertSnapshot, listSnapshots } from './store.ts'

const owner = { accountId: '111111111111', region: 'us-east-1' }
const { manifest, completedAt: createdAt } = snapshotRow(owner)
const copy = aVolume(2, {
  ...owner,
  sourceVolumeId: 'vol-00000000000000001',
  state: 'creating',
  createdAt,
})
const { id: copyVolumeId } = copy

for (const [name, start] of Object.entries(databases)) {
  describe(`copies of volumes on ${name}`, () => {
    test('the moment of a copy is found by the copy, and seen by nobody', async (context) => {
      const { writes: db } = await start(context)
      const { completedAt: _at, manifest: _disk, ...taken } = snapshotRow(owner, { copyVolumeId })
      const { id } = taken
      await transaction(db, async (tx) => {
        await insertSnapshot(tx, { ...taken, progressPercent: 0, state: 'pending' })
        await insertSnapshot(tx, snapshotRow(owner))
      })
      assert.equal((await findSnapshotOfCopy(db, copyVolumeId))?.id, id)
      assert.equal(await findSnapshotOfCopy(db, 'vol-00000000000000003'), undefined)
      assert.deepEqual([...(await listWaitingCopies(db))], [copyVolumeId])
      assert.deepEqual(await listSnapshotsOfCopies(db), [{ id, copyVolumeId }])
      const { region, accountId } = owner
      const seen = await listSnapshots(db, { viewer: accountId, region })
      assert.equal(seen.length, 1)
      assert.deepEqual(await listSnapshots(db, { viewer: accountId, region, ids: [id] }), [])

      await transaction(db, (tx) => failSnapshot(tx, { id, message: 'it was not to be' }))
      assert.deepEqual([...(await listWaitingCopies(db))], [])
      const failed = await findSnapshotOfCopy(db, copyVolumeId)
      assert(failed?.state === 'error' && failed.stateMessage === 'it was not to be')
      await transaction(db, (tx) => deleteSnapshotRow(tx, id))
      assert.equal(await findSnapshotOfCopy(db, copyVolumeId), undefined)
    })

    test('a copy is given its disk once', async (context) => {
      const { writes: db } = await start(context)
      await transaction(db, (tx) => insertVolume(tx, copy))
      assert.deepEqual(await findVolumeById(db, copy.id), copy)
      const give = () => transaction(db, (tx) => setBase(tx, copy, { manifest }))
      assert.equal(await give(), true)
      assert.equal(await give(), false)
      const found = await findVolumeById(db, copy.id)
      assert.deepEqual([found?.baseManifest, found?.knownManifest], [manifest, manifest])
      assert.equal(found?.knownLayer, 0)
    })

    test('what lies over a base of another key knows nothing of its own yet', async (context) => {
      const { writes: db } = await start(context)
      const kmsKeyArn = 'arn:aws:kms:us-east-1:123456789012:key/1'
      const encrypted = { ...copy, kmsKeyArn }
      await transaction(db, (tx) => insertVolume(tx, encrypted))
      assert.deepEqual(await findVolumeById(db, copy.id), encrypted)
      await transaction(db, (tx) => setBase(tx, encrypted, { manifest, kmsKeyArn: 'another' }))
      const found = await findVolumeById(db, copy.id)
      assert.deepEqual([found?.baseManifest, found?.knownManifest], [manifest, undefined])
      assert.deepEqual([found?.kmsKeyArn, found?.baseKmsKeyArn], [kmsKeyArn, 'another'])
    })
  })
}
