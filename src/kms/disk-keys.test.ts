import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test, type TestContext } from 'node:test'
import { databases } from '../../test/databases.ts'
import { checkKeys } from '../checker/check-keys.ts'
import { transaction } from '../db/database.ts'
import { sealerOf } from '../lib/seal.ts'
import { insertSnapshot } from '../snapshots/store.ts'
import {
  findEncryptionSettings,
  setDefaultKey,
  setEncryptsByDefault,
} from '../volumes/encryption-settings-store.ts'
import { snapshotRow } from '../../test/rows.ts'
import { deleteDiskKey, findDiskKey } from './disk-key-store.ts'
import { ensureDiskKey, openDiskKey } from './disk-keys.ts'
import { keyArn, type KeyState } from './key.ts'
import { KeyUnusable } from './key-trouble.ts'
import { makeKey } from './managed.ts'
import { keyReconciler } from './reconcile.ts'
import { changeKeyState } from './store.ts'

const here = { accountId: '111111111111', region: 'us-east-1' }
const now = new Date('2026-11-23T10:00:00Z')

for (const [name, start] of Object.entries(databases)) {
  async function startWithKey(context: TestContext) {
    const db = await start(context)
    const sealer = sealerOf(randomBytes(32), randomBytes)
    const wanted = { ...here, manager: 'CUSTOMER', description: '', tags: [] } as const
    const key = await transaction(db.writes, (tx) =>
      makeKey(tx, wanted, { now, randomBytes, sealer }),
    )
    const ensure = () =>
      transaction(db.writes, (tx) => ensureDiskKey(tx, key, { sealer, randomBytes }))
    const move = async (from: KeyState, state: KeyState, deletesAt?: Date) => {
      const isMoved = await transaction(db.writes, (tx) =>
        changeKeyState(tx, { id: key.id, state: from }, { state, deletesAt }),
      )
      assert(isMoved)
    }
    const arn = keyArn(key)
    const open = () => openDiskKey(db.reads, arn, sealer)
    const unusable = (why: RegExp) =>
      assert.rejects(open(), (error) => error instanceof KeyUnusable && why.test(error.message))
    return { db, sealer, arn, ensure, move, open, unusable }
  }

  describe(`disk keys on ${name}`, () => {
    test('a key has one disk key, which only opens while the key can be used', async (context) => {
      const { db, arn, ensure, move, open, unusable } = await startWithKey(context)
      await unusable(/has never encrypted a disk/)
      assert.deepEqual([await ensure(), await ensure()], [arn, arn])
      const first = await open()
      assert.equal(first.length, 32)
      const sealed = await findDiskKey(db.reads, arn)
      assert(sealed && !Buffer.from(sealed).includes(first), 'it is never stored as it is')
      await move('enabled', 'disabled')
      await unusable(/is disabled/)
      assert.equal(await ensure(), arn, 'it is there')
      await move('disabled', 'pending-deletion', now)
      await unusable(/is pending deletion/)
      await move('pending-deletion', 'disabled')
      await move('disabled', 'enabled')
      assert.deepEqual(await open(), first)
      await move('enabled', 'pending-deletion', now)
      await keyReconciler({ db, now: () => now }).step(arn.split('/')[1] ?? '')
      await unusable(/does not exist/)
      assert.equal(await findDiskKey(db.reads, arn), undefined)
    })

    test('a check finds a disk whose key has no disk key, and one that does not open', async (context) => {
      const { db, sealer, arn, ensure } = await startWithKey(context)
      const find = (masterKey = sealer) => Array.fromAsync(checkKeys(db.reads, masterKey))
      const row = snapshotRow(here, { kmsKeyArn: arn })
      await ensure()
      await transaction(db.writes, (tx) => insertSnapshot(tx, row))
      assert.deepEqual(await find(), [])
      const wrong = sealerOf(randomBytes(32), randomBytes)
      assert.deepEqual(await find(wrong), [
        { about: arn, what: 'has a disk key that does not open' },
      ])
      await transaction(db.writes, (tx) => deleteDiskKey(tx, arn))
      assert.deepEqual(await find(), [
        { about: row.id, what: `is encrypted with ${arn}, which has no disk key` },
      ])
    })

    test('an account has its own settings in each Region, each of which changes alone', async (context) => {
      const { writes: db } = await start(context)
      const read = (owner = here) => findEncryptionSettings(db, owner)
      const first = { encryptsByDefault: false, kmsKeyArn: undefined }
      assert.deepEqual(await read(), first)
      await transaction(db, (tx) => setDefaultKey(tx, here, 'arn:one'))
      assert.deepEqual(await read(), { encryptsByDefault: false, kmsKeyArn: 'arn:one' })
      await transaction(db, (tx) => setEncryptsByDefault(tx, here, true))
      assert.deepEqual(await read(), { encryptsByDefault: true, kmsKeyArn: 'arn:one' })
      await transaction(db, (tx) => setDefaultKey(tx, here, undefined))
      assert.deepEqual(await read(), { encryptsByDefault: true, kmsKeyArn: undefined })
      await transaction(db, (tx) => setEncryptsByDefault(tx, here, false))
      assert.deepEqual(await read(), first)
      assert.deepEqual(await read({ ...here, region: 'us-west-2' }), first)
    })
  })
}
