import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { transaction } from '../db/database.ts'
import type { KeyPair } from './key-pair.ts'
import { deleteKeyPairRow, findKeyPair, insertKeyPair, listKeyPairs } from './store.ts'

const owner = { accountId: '111111111111', region: 'us-east-1' }

function pair(number: number, changes: Partial<KeyPair> = {}): KeyPair {
  return {
    ...owner,
    id: `key-${String(number).padStart(17, '0')}`,
    name: `key ${number}`,
    type: 'ed25519',
    fingerprint: 'f',
    publicKey: 'ssh-ed25519 AAAA key',
    createdAt: new Date(1_000_000),
    ...changes,
  }
}

for (const [name, start] of Object.entries(databases)) {
  describe(`key pairs on ${name}`, () => {
    test('a key pair is found by its name until it is deleted', async (context) => {
      const { writes, reads } = await start(context)
      await transaction(writes, (tx) => insertKeyPair(tx, pair(1)))
      assert.deepEqual(await findKeyPair(reads, { ...owner, name: 'key 1' }), pair(1))
      assert.deepEqual(await listKeyPairs(reads, owner), [pair(1)])
      await transaction(writes, (tx) => deleteKeyPairRow(tx, pair(1).id))
      assert.equal(await findKeyPair(reads, { ...owner, name: 'key 1' }), undefined)
    })

    test('a name is taken in its account and Region only', async (context) => {
      const { writes } = await start(context)
      const insert = (made: KeyPair) => transaction(writes, (tx) => insertKeyPair(tx, made))
      await insert(pair(1))
      await insert(pair(2, { name: 'key 1', region: 'eu-west-1' }))
      await insert(pair(3, { name: 'key 1', accountId: '222222222222' }))
      await assert.rejects(insert(pair(4, { name: 'key 1' })), {
        code: 'InvalidKeyPair.Duplicate',
        message: "The keypair 'key 1' already exists.",
      })
    })
  })
}
