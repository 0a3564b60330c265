import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, createServer, get, type Server } from 'node:http'
import { createServer as createTlsServer, get as getByTls } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { generate } from 'selfsigned'
import { ConnectionGuard } from './connection-guard.ts'

const connectionsMax = 10

/** A server with few places; what `/late` asks for is answered when `answerLate` is called. */
async function serve(context: TestContext, { isTls = false, bodyBytesMax = 1e6 } = {}) {
  const guard = new ConnectionGuard({ connectionsMax, bodyBytesMax })
  const late = Promise.withResolvers<void>()
  const handler: Parameters<typeof createServer>[1] = (request, response) => {
    guard.reading(request)
    request.on('end', () => {
      guard.answering(request, response)
      if (request.url === '/late') void late.promise.then(() => response.end('late'))
      else response.end('here')
    })
  }
  const { private: key, cert } = isTls
    ? await generate([{ name: 'commonName', value: 'a' }])
    : { private: '', cert: '' }
  const server: Server = isTls ? createTlsServer({ key, cert }, handler) : createServer(handler)
  guard.watch(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const sockets: Socket[] = []
  context.after(() => {
    for (const socket of sockets) socket.destroy()
    server.closeAllConnections()
    server.close()
  })
  /** Connections that say so much and then nothing; they are in when it returns. */
  const sit = async (count: number, text: string): Promise<readonly Socket[]> => {
    const come = Array.from({ length: count }, async () => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      sockets.push(socket)
      await once(socket, 'connect')
      socket.write(text)
      socket.resume()
      return socket
    })
    return await Promise.all(come)
  }
  const ask = async (path: string, agent?: Agent): Promise<string> => {
    const options = { port, path, agent: agent ?? false, rejectUnauthorized: false }
    const asked = (isTls ? getByTls : get)({ ...options, host: '127.0.0.1' })
    const [response] = await once(asked, 'response')
    return String(await response.toArray())
  }
  return { sit, ask, answerLate: late.resolve }
}

async function until(is: () => boolean): Promise<void> {
  while (!is()) await wait(5)
}

const beginnings = [
  '',
  'GET / HT',
  'GET / HTTP/1.1\r\nHost: a\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\na',
]

test('who says nothing, or never all of it, makes room for who comes after', async (context) => {
  const { sit, ask } = await serve(context)
  for (const beginning of beginnings) {
    const early = await sit(1, beginning)
    await sit(5 * connectionsMax, beginning)
    await until(() => early[0]?.closed === true)
    assert.equal(await ask('/'), 'here')
  }
})

test('under TLS, a handshake that does not go on makes room too', async (context) => {
  const { sit, ask } = await serve(context, { isTls: true })
  for (const beginning of ['', '\x16\x03\x01']) {
    await sit(5 * connectionsMax, beginning)
    assert.equal(await ask('/'), 'here')
  }
})

test('who was answered before stays, and so does who waits for an answer', async (context) => {
  const { sit, ask, answerLate } = await serve(context)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  context.after(() => agent.destroy())
  assert.equal(await ask('/', agent), 'here')
  const waiting = ask('/late')
  const [own] = Object.values(agent.freeSockets).flat()
  assert(own)

  for (const beginning of beginnings) await sit(5 * connectionsMax, beginning)

  assert(!own.destroyed)
  assert.equal(await ask('/', agent), 'here')
  answerLate()
  assert.equal(await waiting, 'late')
})

test('bodies that are not whole hold no more memory than there is for them', async (context) => {
  const bodyBytesMax = 300_000
  const { sit, ask } = await serve(context, { bodyBytesMax })
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n'
  const sitting = await sit(connectionsMax - 1, head + 'a'.repeat(100_000))

  const areIn = () => sitting.filter(({ closed }) => !closed).length
  await until(() => areIn() === bodyBytesMax / 100_000)
  assert.equal(await ask('/'), 'here')
})
