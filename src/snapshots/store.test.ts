import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { type Database, transaction } from '../db/database.ts'
import { finishFreeze, handFreezeTo, insertFreeze, listWantedFreezes } from '../freezes/store.ts'
import type { Id } from '../lib/ids.ts'
import { areFrozen } from './frozen.ts'
import { addSnapshotPermissions, listSnapshotPermissions } from './permission-store.ts'
import type { PendingSnapshot, Snapshot } from './snapshot.ts'
import {
  completeSnapshot,
  deleteSnapshotRow,
  failSnapshot,
  findSnapshot,
  findUsableSnapshot,
  hasPendingSnapshots,
  insertSnapshot,
  listPendingSnapshots,
  listSnapshotManifests,
  listSnapshots,
  setFrozenLayer,
  setSnapshotProgress,
} from './store.ts'
import { aPendingSnapshot } from './testing.ts'

const mine = '111111111111'
const yours = '222222222222'
const region = 'us-east-1'
const manifest = `sha256:${'0'.repeat(64)}` as const
const freezeId = 'freeze-1'

const idOf = (number: number): Id<'snapshot'> => `snap-${String(number).padStart(17, '0')}`

const pending = (number: number, changes: Partial<PendingSnapshot> = {}) =>
  aPendingSnapshot(number, { volumeId: 'vol-00000001', volumeSizeGiB: 3, ...changes })

const insert = (db: Database, ...snapshots: readonly Snapshot[]) =>
  transaction(db, async (tx) => {
    for (const snapshot of snapshots) await insertSnapshot(tx, snapshot)
  })

const complete = (db: Database, id: Id<'snapshot'>) =>
  transaction(db, (tx) =>
    completeSnapshot(tx, {
      id,
      manifest,
      completedAt: new Date(7),
      parentSnapshotId: undefined,
      fullSizeBytes: 2 ** 40,
      addedBytes: 5,
    }),
  )

const wantFreeze = (db: Database, withReboot = false) =>
  transaction(db, (tx) =>
    insertFreeze(tx, {
      id: freezeId,
      instanceId: undefined,
      withReboot,
      state: 'wanted',
      wantedAt: new Date(1),
    }),
  )

for (const [name, start] of Object.entries(databases)) {
  describe(`snapshots on ${name}`, () => {
    test('a snapshot is completed once, and stays so', async (context) => {
      const { writes: db } = await start(context)
      await insert(db, pending(1))
      assert.deepEqual(await findSnapshot(db, idOf(1)), pending(1))
      assert.equal(await complete(db, idOf(1)), true)
      assert.equal(await complete(db, idOf(1)), false)
      const message = 'too late'
      assert.equal(await transaction(db, (tx) => failSnapshot(tx, { id: idOf(1), message })), false)
      assert.equal(await setSnapshotProgress(db, { id: idOf(1), percent: 3 }), false)
      assert.deepEqual(await findSnapshot(db, idOf(1)), {
        ...pending(1),
        progressPercent: 100,
        state: 'completed',
        manifest,
        completedAt: new Date(7),
        parentSnapshotId: undefined,
        fullSizeBytes: 2 ** 40,
        addedBytes: 5,
      })
      assert.deepEqual(await listSnapshotManifests(db), [manifest])
    })

    test('a volume is needed while a snapshot of it is pending', async (context) => {
      const { writes: db } = await start(context)
      await insert(db, pending(1), pending(2, { volumeId: 'vol-00000002' }))
      assert.equal(await hasPendingSnapshots(db, 'vol-00000001'), true)
      await complete(db, idOf(1))
      assert.equal(await hasPendingSnapshots(db, 'vol-00000001'), false)
      assert.deepEqual(await listPendingSnapshots(db), [pending(2, { volumeId: 'vol-00000002' })])
    })

    test('one sees the snapshots that are one’s own, public, or shared with one', async (context) => {
      const { writes: db } = await start(context)
      await insert(
        db,
        pending(1),
        ...[2, 3, 4].map((number) => pending(number, { accountId: yours })),
        pending(5, { region: 'eu-west-1' }),
      )
      await transaction(db, async (tx) => {
        await addSnapshotPermissions(tx, idOf(3), ['all'])
        await addSnapshotPermissions(tx, idOf(4), [mine, mine, '333333333333'])
      })
      assert.deepEqual(await listSnapshotPermissions(db, idOf(4)), [mine, '333333333333'])
      const seen = async (query: object) =>
        (await listSnapshots(db, { viewer: mine, region, ...query })).map(({ id }) =>
          Number(id.slice(5)),
        )
      assert.deepEqual(await seen({}), [1, 3, 4])
      assert.deepEqual(await seen({ ownerIds: [yours] }), [3, 4])
      assert.deepEqual(await seen({ restorableBy: ['all'] }), [3])
      assert.deepEqual(await seen({ restorableBy: [mine] }), [1, 4])
      // With whom else it is shared, and what is whose, is for its owner to find out.
      assert.deepEqual(await seen({ restorableBy: ['333333333333', yours] }), [])
      const theirs = { viewer: yours, restorableBy: ['333333333333'] }
      assert.deepEqual(await seen(theirs), [4])
      assert.deepEqual(await seen({ after: idOf(1), limit: 1 }), [3])
      const usable = (number: number) =>
        findUsableSnapshot(db, { accountId: mine, region, id: idOf(number) })
      assert.equal(await usable(2), undefined)
      assert.equal((await usable(4))?.id, idOf(4))
      assert.equal(await transaction(db, (tx) => deleteSnapshotRow(tx, idOf(4))), true)
      assert.equal(await usable(4), undefined)
    })

    test('the layer of a freeze is decided once', async (context) => {
      const { writes: db } = await start(context)
      await wantFreeze(db)
      await insert(db, pending(1, { freezeId }))
      const set = (layer: number) =>
        transaction(db, (tx) => setFrozenLayer(tx, { freezeId, volumeId: 'vol-00000001', layer }))
      assert.equal(await set(3), true)
      assert.equal(await set(4), false)
      assert.equal((await findSnapshot(db, idOf(1)))?.layer, 3)
    })

    test('a snapshot is frozen when its freeze is done', async (context) => {
      const { writes: db } = await start(context)
      await wantFreeze(db)
      await insert(db, pending(1, { freezeId }), pending(2))
      assert.equal(await areFrozen(db, [idOf(2)]), true)
      assert.equal(await areFrozen(db, [idOf(1), idOf(2)]), false)
      const instanceId = 'i-00000001'
      await transaction(db, (tx) => handFreezeTo(tx, { id: freezeId, instanceId }))
      assert.equal((await listWantedFreezes(db, { instanceId })).length, 1)
      assert.equal((await listWantedFreezes(db, { instanceId: 'i-00000002' })).length, 0)
      assert.equal(await transaction(db, (tx) => finishFreeze(tx, freezeId)), true)
      assert.equal(await transaction(db, (tx) => finishFreeze(tx, freezeId)), false)
      assert.equal(await areFrozen(db, [idOf(1), idOf(2)]), true)
    })

    test('nobody waits for a freeze that takes a reboot', async (context) => {
      const { writes: db } = await start(context)
      await wantFreeze(db, true)
      await insert(db, pending(1, { freezeId }))
      assert.equal(await areFrozen(db, [idOf(1)]), true)
    })
  })
}
