import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { ConfigError, readConfig } from './config.ts'
import { publicOnly } from './outbound/rules.ts'

test('an installation that is told nothing has the defaults', () => {
  assert.deepEqual(readConfig({ PATH: '/bin' }), {
    dataFolder: join(homedir(), '.local/share/imago'),
    listen: { host: '127.0.0.1', port: 4780 },
    regions: ['us-east-1', 'us-west-2', 'eu-west-1'],
    accountId: '123456789012',
    rootKey: undefined,
    accelerator: 'auto',
    masterKeyCommand: undefined,
    uefiDictionaryFile: undefined,
    tls: undefined,
    callsPerSecond: 5000,
    auditRetention: { days: 90, eventsMax: 1_000_000 },
    eventRetention: { days: 7, eventsMax: 100_000 },
    launchDays: 1095,
    snapshotsApartMs: 0,
    outbound: publicOnly,
    importBytesMax: 100 * 2 ** 30,
  })
})

test('the environment wins over the file', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'imago-config-'))
  context.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'imago.conf')
  writeFileSync(file, '# ours\nIMAGO_LISTEN=127.0.0.1:1\nIMAGO_ACCEL=tcg\n')
  const config = readConfig({ IMAGO_CONFIG: file, IMAGO_LISTEN: '[::1]:2' })
  assert.deepEqual(config.listen, { host: '::1', port: 2 })
  assert.equal(config.accelerator, 'tcg')
})

for (const [key, value] of Object.entries({
  IMAGO_ACCEL: 'fast',
  IMAGO_AUDIT_DAYS: '0',
  IMAGO_CALLS_PER_SECOND: 'many',
  IMAGO_TLS_KEY: 'alone',
  IMAGO_ACCOUNT_ID: '12345',
  IMAGO_CONFIG: '/no/such/file',
  IMAGO_DTAA: '/tmp',
  IMAGO_LISTEN: '127.0.0.1',
  IMAGO_REGIONS: 'us-east-1,us-east-1',
  IMAGO_ROOT_ACCESS_KEY_ID: 'AKIAALONE',
  IMAGO_ROOT_SECRET_ACCESS_KEY: 'alone',
})) {
  test(`a bad ${key} is refused by name`, () => {
    const isNamed = (error: unknown) => error instanceof ConfigError && error.message.includes(key)
    assert.throws(() => readConfig({ [key]: value }), isNamed)
  })
}

test('the secret does not print', () => {
  const config = readConfig({
    IMAGO_ROOT_ACCESS_KEY_ID: 'AKIA',
    IMAGO_ROOT_SECRET_ACCESS_KEY: 'very-secret',
  })
  assert.equal(config.rootKey?.secret.reveal(), 'very-secret')
  assert(!inspect(config).includes('very-secret'))
  assert(!JSON.stringify(config).includes('very-secret'))
})
