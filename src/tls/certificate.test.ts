import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:https'
import { once } from 'node:events'
import { type AddressInfo } from 'node:net'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import {
  CertificateError,
  certificateFileIn,
  ensureCertificate,
  openCertificate,
  readCertificate,
} from './certificate.ts'

const names = ['localhost', '127.0.0.1', '::1', 'imago.example']
const now = new Date()
const later = (days: number) => new Date(now.getTime() + days * 24 * 60 * 60 * 1000)

async function folderOf(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'imago-tls-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function ask(server: Server, ca: string, host: string): Promise<number> {
  const { port } = server.address() as AddressInfo
  const asked = request({ host, port, ca, path: '/', agent: false })
  asked.end()
  const [answer] = (await once(asked, 'response')) as [{ statusCode: number; resume(): void }]
  answer.resume()
  return answer.statusCode
}

test('a client that is given our certificate reaches us by each of our names, and nobody else does', async (context) => {
  const folder = await folderOf(context)
  const { certificate, key } = await ensureCertificate(folder, { names, now })
  const server = createServer({ cert: certificate, key }, (_request, response) => response.end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => server.close())
  const ca = await readFile(certificateFileIn(folder), 'utf8')
  assert.equal(await ask(server, ca, 'localhost'), 200)
  assert.equal(await ask(server, ca, '127.0.0.1'), 200)
  const other = await ensureCertificate(await folderOf(context), { names, now })
  await assert.rejects(ask(server, other.certificate, '127.0.0.1'), /self-signed certificate/)
})

test('a certificate stays while it is of use, and its key is for nobody else', async (context) => {
  const folder = await folderOf(context)
  const first = await ensureCertificate(folder, { names, now })
  assert.match(first.fingerprint, /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/)
  const of = async (more: { names?: readonly string[]; now?: Date } = {}) =>
    (await ensureCertificate(folder, { names, now, ...more })).fingerprint
  assert.equal(await of(), first.fingerprint)
  assert.equal(await of({ now: later(700) }), first.fingerprint)
  const renewed = await of({ now: later(800) })
  assert.notEqual(renewed, first.fingerprint)
  assert.notEqual(await of({ names: [...names, '192.0.2.1'] }), renewed)
  const path = join(folder, 'certificate-and-key.pem')
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  await writeFile(path, 'half a file')
  assert.notEqual(await of(), renewed)
})

test("the operator's certificate is used, and refused in words where it cannot be", async (context) => {
  const folder = await folderOf(context)
  const made = await ensureCertificate(folder, { names, now })
  const other = await ensureCertificate(await folderOf(context), { names, now })
  const write = async (name: string, text: string) => {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
  const files = {
    certificate: await write('a.crt', made.certificate),
    key: await write('a.key', made.key),
  }
  assert.equal((await readCertificate(files, now)).fingerprint, made.fingerprint)
  const isRefused = async (more: object, at: Date, message: RegExp) =>
    await assert.rejects(readCertificate({ ...files, ...more }, at), (error) => {
      assert(error instanceof CertificateError)
      assert.match(error.message, message)
      return true
    })
  await isRefused({}, later(1000), /valid until/)
  await isRefused({ key: await write('b.key', other.key) }, now, /not its own/)
  await isRefused({ key: join(folder, 'none') }, now, /Cannot read the file/)
})

test('beyond the loopback there is a certificate, and on it only where the operator gave one', async (context) => {
  const folder = await folderOf(context)
  const at = async (host: string) =>
    await openCertificate({ listen: { host }, tls: undefined }, folder, now)
  for (const host of ['127.0.0.1', '127.3.4.5', '::1', 'localhost'])
    assert.equal(await at(host), undefined)
  for (const host of ['0.0.0.0', '192.0.2.7', '::', 'imago.example', '127.0.0.1.example'])
    assert((await at(host))?.fingerprint, host)
})
