import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { type OutboundRules, parseOutboundRules, publicOnly } from '../outbound/rules.ts'
import { CannotImport, download } from './obtain-disk.ts'

async function start(context: TestContext, listener: RequestListener) {
  const folder = await mkdtemp(join(tmpdir(), 'imago-download-'))
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    listener(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(async () => {
    server.closeAllConnections()
    server.close()
    await rm(folder, { recursive: true })
  })
  const { port } = server.address() as AddressInfo
  const to = join(folder, 'file')
  const listed = parseOutboundRules(`127.0.0.1:${port}`) as OutboundRules
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    read: () => readFile(to, 'utf8'),
    fetch: (url: string, { rules = listed, bytesMax = 100 } = {}) =>
      download(url, to, {
        progress: () => {},
        signal: new AbortController().signal,
        limits: { rules, bytesMax },
      }),
  }
}

test('nothing of the host is fetched that the operator does not list, also by its name or a redirect', async (context) => {
  const { url, asked, fetch } = await start(context, (request, response) => {
    const to = request.url === '/to-cloud' ? 'http://169.254.169.254/latest' : 'http://localhost:1/'
    response.writeHead(302, { location: to }).end()
  })
  const port = new URL(url).port
  const rules = publicOnly
  const refused = { name: 'CannotImport', message: /IMAGO_OUTBOUND_HOSTS/ }
  for (const bad of [
    url,
    `http://localhost:${port}/`,
    `http://0x7f.1:${port}/`,
    `http://[::1]:${port}/`,
    `http://[::ffff:127.0.0.1]:${port}/`,
    'http://169.254.169.254/latest/meta-data/',
  ])
    await assert.rejects(fetch(bad, { rules }), refused, bad)
  assert.deepEqual(asked, [])
  await assert.rejects(fetch(`${url}/to-cloud`), refused)
  await assert.rejects(fetch(`${url}/to-loopback`), refused)
  assert.deepEqual(asked, ['/to-cloud', '/to-loopback'])
})

test('redirects are followed a few times, and a file up to its limit', async (context) => {
  const { url, asked, fetch, read } = await start(context, (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://here')
    if (pathname === '/1') response.writeHead(302, { location: 'file' }).end()
    else if (pathname === '/round') response.writeHead(301, { location: '/round' }).end()
    else if (pathname === '/said') response.writeHead(200, { 'content-length': '101' }).end('x')
    else if (pathname === '/unsaid') {
      response.writeHead(200)
      response.write('x'.repeat(101))
    } else if (pathname === '/none') response.writeHead(404).end()
    else response.end('whole')
  })
  await fetch(`${url}/1`)
  assert.equal(await read(), 'whole')
  await assert.rejects(fetch(`${url}/round`), /answered 301/)
  assert.equal(asked.filter((path) => path === '/round').length, 6)
  for (const path of ['/said', '/unsaid'])
    await assert.rejects(fetch(url + path), { name: CannotImport.name, message: /limit of 100/ })
  const secret = `${url.replace('//', '//me:password@')}/none?signature=x`
  const message = `Cannot fetch ${url}/none: the server answered 404`
  await assert.rejects(fetch(secret), { name: CannotImport.name, message })
  await assert.rejects(fetch('http://127.0.0.1:1/'), /IMAGO_OUTBOUND_HOSTS|ECONNREFUSED/)
})
