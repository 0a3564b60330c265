/** What nobody may find: keys and texts in files, rows and logs, and a deleted key anywhere. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmod, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { sql } from 'kysely'
import { listEvents } from '../src/audit/store.ts'
import { checkMasterKey } from '../src/checker/check-master-key.ts'
import { transaction } from '../src/db/database.ts'
import { keyReconciler } from '../src/kms/reconcile.ts'
import { sealerOf } from '../src/lib/seal.ts'
import { callerOf, dayMs, startKms as start, text } from './kms-sdk.ts'
import { startSystem } from './system.ts'

test('no key and no text is in any file, row or log, and a deleted key is gone from them', async (context) => {
  const { system, kms, make, refused } = await start(context)
  const { KeyId } = await make()
  const kept = await make()
  const Plaintext = Buffer.from('SECRET-PATTERN-'.repeat(50))
  const { CiphertextBlob } = await kms('Encrypt', { KeyId, Plaintext })
  const dataKey = await kms('GenerateDataKey', { KeyId, KeySpec: 'AES_256' })
  await kms('Decrypt', { CiphertextBlob })
  await refused('Encrypt', { KeyId: 'alias/nope', Plaintext }, 'NotFoundException')
  await refused(
    'Encrypt',
    { KeyId, Plaintext: Buffer.concat(Array(9).fill(Plaintext)) },
    'ValidationException',
  )

  const events = await system.until('the audit rows', async () => {
    const written = JSON.stringify(await listEvents(system.db.reads))
    return /"Encrypt","outcome":"ValidationException"/.test(written) && written
  })

  const sealedOf = async (id: string) => {
    const rows = await sql<{ sealed: string }>`
      SELECT sealed FROM kms_materials WHERE key_id = ${id}`.execute(system.db.reads)
    return rows.rows[0]?.sealed ?? ''
  }
  const masterKey = await readFile(join(system.dataFolder, 'master-key'))
  const filesWith = async (secret: Uint8Array) => {
    const found: string[] = []
    for (const entry of await readdir(system.dataFolder, {
      recursive: true,
      withFileTypes: true,
    })) {
      if (!entry.isFile() || entry.name === 'master-key') continue
      const bytes = await readFile(join(entry.parentPath, entry.name))
      const forms = ['latin1', 'hex', 'base64'] as const
      const isIn = forms.some((form) =>
        bytes.includes(Buffer.from(secret).toString(form), 0, 'latin1'),
      )
      if (isIn) found.push(entry.name)
    }
    return found
  }
  const plainKey = Buffer.from(dataKey.Plaintext ?? [])
  for (const secret of [Plaintext.subarray(0, 30), plainKey, masterKey])
    assert.deepEqual(await filesWith(secret), [])
  assert(!events.includes('SECRET-PATTERN') && !events.includes(plainKey.toString('base64')))

  const sealed = Buffer.from(await sealedOf(KeyId))
  assert(sealed.length > 32)
  assert((await filesWith(sealed)).length > 0)
  await kms('CreateAlias', { AliasName: 'alias/going', TargetKeyId: KeyId })
  await kms('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
  const late = new Date(Date.now() + 8 * dayMs)
  const reconciler = keyReconciler({ db: system.db, now: () => late })
  // As long as somebody reads what was there, the log of the database keeps it.
  await transaction(system.db.reads, async (tx) => {
    await sql`SELECT COUNT(*) FROM kms_keys`.execute(tx)
    assert.equal(await reconciler.step(KeyId), 'waiting')
  })
  assert.deepEqual(await reconciler.due(), [KeyId])
  assert.equal(await reconciler.step(KeyId), 'moved')
  assert.deepEqual(await reconciler.due(), [])
  assert.deepEqual(await filesWith(sealed), [])
  assert((await filesWith(Buffer.from(await sealedOf(kept.KeyId)))).length > 0)
  await refused('DescribeKey', { KeyId }, 'NotFoundException')
  await refused('DescribeKey', { KeyId: 'alias/going' }, 'NotFoundException')
  await refused('CancelKeyDeletion', { KeyId }, 'NotFoundException')
  await refused('Decrypt', { CiphertextBlob }, 'AccessDeniedException')
})

test('a service that is started again knows its keys, and none without their master key', async (context) => {
  const first = await start(context)
  const { KeyId } = await first.make()
  const { CiphertextBlob } = await first.kms('Encrypt', { KeyId, Plaintext: text })
  await first.system.imago.close()
  const { dataFolder } = first.system
  const again = await startSystem(context, { isIdle: true, dataFolder })
  const kms = callerOf(context, again.settingsWith())
  assert.deepEqual(Buffer.from((await kms('Decrypt', { CiphertextBlob })).Plaintext ?? []), text)
  assert.deepEqual(await checkMasterKey(again.db.reads, sealerOf(randomBytes(32), randomBytes)), [
    { about: 'the master key', what: 'is another than the one that sealed the keys' },
  ])
  await again.imago.close()

  const path = join(dataFolder, 'master-key')
  const open = () => startSystem(context, { isIdle: true, dataFolder })
  await chmod(path, 0o644)
  await assert.rejects(open(), { name: 'MasterKeyError', message: /chmod 600/ })
  await rm(path)
  await assert.rejects(open(), { name: 'MasterKeyError', message: /gone/ })
})
