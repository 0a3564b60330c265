import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { generateKey } from './generate.ts'
import type { KeyType } from './key-pair.ts'
import { fingerprintOfImported, formatPublicKey, readPublicKey } from './public-key.ts'

const types = ['rsa', 'ed25519'] as const satisfies readonly KeyType[]

async function folder(context: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'imago-keys-'))
  context.after(() => rm(made, { recursive: true }))
  return made
}

function run(program: string, args: readonly string[], input?: string | Buffer): string {
  const done = spawnSync(program, args, { input })
  assert.equal(done.status, 0, String(done.stderr))
  return done.stdout.toString()
}

for (const type of types) {
  test(`OpenSSH reads an ${type} key that was made here, and finds its public half`, async (context) => {
    const path = join(await folder(context), 'key')
    const { material, publicKey } = await generateKey(type, 'mine')
    await writeFile(path, material, { mode: 0o600 })
    const [name, blob] = run('ssh-keygen', ['-y', '-f', path]).split(/\s/)
    assert.equal(formatPublicKey(publicKey, 'mine'), `${name} ${blob} mine`)
  })

  test(`an ${type} public key is the same in whatever form it is imported`, async (context) => {
    const path = join(await folder(context), 'key.pub')
    const { publicKey } = await generateKey(type, 'mine')
    const line = formatPublicKey(publicKey, 'mine')
    await writeFile(path, `${line}\n`)
    const rfc4716 = run('ssh-keygen', ['-e', '-f', path])
    const base64 = (text: string) => Buffer.from(text).toString('base64')
    for (const text of [line, rfc4716, base64(line), base64(rfc4716)]) {
      assert.deepEqual(readPublicKey(Buffer.from(text)), publicKey)
    }
  })
}

test('the fingerprint of an RSA key made here is the SHA-1 of its PKCS#8 form', async () => {
  const { material, fingerprint } = await generateKey('rsa', 'mine')
  const pkcs8 = spawnSync(
    'openssl',
    ['pkcs8', '-inform', 'PEM', '-outform', 'DER', '-topk8', '-nocrypt'],
    { input: material },
  )
  assert.match(run('openssl', ['sha1', '-c'], pkcs8.stdout), new RegExp(`${fingerprint}\\s*$`))
})

test('the fingerprint of an imported RSA key is the MD5 of its public form', async () => {
  const { material, publicKey } = await generateKey('rsa', 'mine')
  const der = spawnSync('openssl', ['rsa', '-pubout', '-outform', 'DER'], { input: material })
  const fingerprint = fingerprintOfImported(publicKey)
  assert.match(run('openssl', ['md5', '-c'], der.stdout), new RegExp(`${fingerprint}\\s*$`))
})

test('the fingerprint of an ed25519 key is what OpenSSH says', async (context) => {
  const path = join(await folder(context), 'key.pub')
  const { publicKey, fingerprint } = await generateKey('ed25519', 'mine')
  await writeFile(path, formatPublicKey(publicKey, 'mine'))
  const said = /SHA256:(\S+)/.exec(run('ssh-keygen', ['-l', '-f', path]))?.[1]
  assert.equal(fingerprint, `${said}=`)
  assert.equal(fingerprintOfImported(publicKey), fingerprint)
})

test('what is no public key is refused by its name', () => {
  const bad = [
    '',
    'key',
    'ssh-rsa AAAA',
    'ssh-dss AAAAB3NzaC1kc3M=',
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5',
  ]
  for (const text of bad) {
    assert.throws(() => readPublicKey(Buffer.from(text)), { code: 'InvalidKey.Format' }, text)
  }
})
