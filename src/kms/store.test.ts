import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { type Connections, transaction } from '../db/database.ts'
import { keyBytes, sealerOf } from '../lib/seal.ts'
import { ebsAlias } from './alias.ts'
import { findAlias, insertAlias, listAliasesOf } from './alias-store.ts'
import { deletionDate, keyArn } from './key.ts'
import { decryptUnder, encryptUnder, keyOfBlob, resolveKey } from './keys.ts'
import { ensureEbsKey, makeKey } from './managed.ts'
import { keyReconciler } from './reconcile.ts'
import { changeKeyState, findKey, findMaterial, findSealedMaterial, listKeysOf } from './store.ts'

const now = new Date(1_000_000)
const here = { accountId: '111111111111', region: 'us-east-1' }
const sealer = sealerOf(randomBytes(keyBytes), randomBytes)
const maker = { now, randomBytes, sealer }
const wanted = { ...here, manager: 'CUSTOMER', description: 'of a store', tags: [] } as const

const make = (db: Connections) => transaction(db.writes, (tx) => makeKey(tx, wanted, maker))

for (const [name, start] of Object.entries(databases)) {
  describe(`keys on ${name}`, () => {
    test('a key is found by its names where it is, and keeps its material sealed', async (context) => {
      const db = await start(context)
      const key = await make(db)
      const alias = { ...here, name: 'alias/one', keyId: key.id, createdAt: now, updatedAt: now }
      const insert = () => transaction(db.writes, (tx) => insertAlias(tx, alias))
      assert.deepEqual([await insert(), await insert()], [true, false])
      for (const keyId of [
        key.id,
        keyArn(key),
        'alias/one',
        `arn:aws:kms:us-east-1:${here.accountId}:alias/one`,
      ])
        assert.deepEqual(await resolveKey(db.reads, { ...here, keyId }), key)
      const elsewhere = { ...here, region: 'us-west-2' }
      const missing = { code: 'NotFoundException' }
      await assert.rejects(resolveKey(db.reads, { ...elsewhere, keyId: key.id }), missing)
      await assert.rejects(resolveKey(db.reads, { ...elsewhere, keyId: 'alias/one' }), missing)
      await assert.rejects(
        resolveKey(db.reads, { ...here, accountId: '2'.repeat(12), keyId: keyArn(key) }),
        {
          code: 'AccessDeniedException',
        },
      )

      const material = await findMaterial(db.reads, { keyId: key.id }, sealer)
      assert.equal(material?.bytes.length, keyBytes)
      const kept = await findSealedMaterial(db.reads)
      assert(kept && !Buffer.from(kept.sealed).includes(Buffer.from(material.bytes)))
      const other = sealerOf(randomBytes(keyBytes), randomBytes)
      await assert.rejects(findMaterial(db.reads, { keyId: key.id }, other), { name: 'SealBroken' })
    })

    test('a data key opens for its owner, and not when the key is disabled', async (context) => {
      const db = await start(context)
      const key = await make(db)
      const dataKey = randomBytes(32)
      const words = { 'aws:ebs:id': 'vol-1' }
      const blob = await encryptUnder(db.reads, key, dataKey, words, { sealer, randomBytes })
      assert.deepEqual(await keyOfBlob(db.reads, here, blob), key)
      const open = async () => {
        const found = await keyOfBlob(db.reads, here, blob)
        return Buffer.from(await decryptUnder(db.reads, found, blob, words, sealer))
      }
      assert.deepEqual(await open(), dataKey)
      const [other] = [await make(db)]
      await assert.rejects(decryptUnder(db.reads, other, blob, words, sealer), {
        code: 'InvalidCiphertextException',
      })
      const move = { state: 'disabled', deletesAt: undefined } as const
      const disable = () => transaction(db.writes, (tx) => changeKeyState(tx, key, move))
      assert.deepEqual([await disable(), await disable()], [true, false])
      await assert.rejects(open(), { code: 'DisabledException' })
    })

    test('the key of AWS is made once for an account and a Region', async (context) => {
      const db = await start(context)
      const ensure = () => transaction(db.writes, (tx) => ensureEbsKey(tx, here, maker))
      const [first, second] = await Promise.all([ensure(), ensure()])
      assert.deepEqual([first?.manager, first?.id], ['AWS', second?.id])
      assert.equal((await listKeysOf(db.reads, here)).length, 1)
      assert.equal((await findAlias(db.reads, { ...here, name: ebsAlias }))?.keyId, first?.id)
    })

    test('a key whose day has come is erased, and nothing of it is left', async (context) => {
      const db = await start(context)
      const [key, other] = [await make(db), await make(db)]
      const alias = { ...here, name: 'alias/one', keyId: key.id, createdAt: now, updatedAt: now }
      await transaction(db.writes, (tx) => insertAlias(tx, alias))
      const blob = await encryptUnder(db.reads, key, Buffer.from('x'), {}, { sealer, randomBytes })
      const deletesAt = deletionDate(now, 7)
      const next = { state: 'pending-deletion', deletesAt } as const
      await transaction(db.writes, (tx) => changeKeyState(tx, key, next))

      const at = (time: Date) => keyReconciler({ db, now: () => time })
      const early = at(new Date(deletesAt.getTime() - 1))
      assert.deepEqual(await early.due(), [])
      await early.step(key.id)
      assert.equal((await findKey(db.reads, key))?.state, 'pending-deletion')
      const late = at(deletesAt)
      assert.deepEqual(await late.due(), [key.id])
      assert.equal(await late.step(key.id), 'moved')
      assert.deepEqual(await late.due(), [])
      assert.equal(await findKey(db.reads, key), undefined)
      assert.equal(await findMaterial(db.reads, { keyId: key.id }, sealer), undefined)
      assert.deepEqual(await listAliasesOf(db.reads, here), [])
      await assert.rejects(keyOfBlob(db.reads, here, blob), { code: 'AccessDeniedException' })
      assert.equal(await late.step(key.id), 'moved')
      assert(await findMaterial(db.reads, { keyId: other.id }, sealer))
    })
  })
}
