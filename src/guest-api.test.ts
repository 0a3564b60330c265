/** What guests can do to the API without a signature: little. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { GuestApi } from './guest-api.ts'

const vpcId = 'vpc-0123456789abcdef0'

async function start(context: TestContext) {
  let nowMs = 0
  const api = new GuestApi(() => nowMs)
  context.after(() => api.close())
  const listen = async (): Promise<{ socket: Server; port: number }> => {
    const socket = createServer().listen(0, '127.0.0.1')
    await once(socket, 'listening')
    const address = socket.address()
    assert(address && typeof address === 'object')
    return { socket, port: address.port }
  }
  const { socket, port } = await listen()
  api.serve(vpcId, socket)
  const call = async (localAddress = '127.0.0.1', to = port): Promise<string> => {
    const connection = connect({ host: '127.0.0.1', port: to, localAddress })
    connection.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
    return (await text(connection)).replaceAll('\r\n', '\n').trim()
  }
  const pass = (ms: number) => void (nowMs += ms)
  return { api, port, call, listen, pass }
}

test('guests are told to come again until there is an API, and are known by their VPC', async (context) => {
  const { api, call, listen } = await start(context)
  assert.match(await call(), /^HTTP\/1.1 503/)
  const known: unknown[] = []
  api.open(({ socket }, response) => {
    known.push(api.vpcOf(socket))
    response.end('the API')
  })
  assert.match(await call(), /the API/)
  assert.deepEqual(known, [vpcId])

  // A network that was made anew has another socket, and the old one is closed.
  const other = await listen()
  api.serve(vpcId, other.socket)
  assert.match(await call('127.0.0.1', other.port), /the API/)
  await assert.rejects(call(), { code: 'ECONNREFUSED' })
})

test('an address that calls too often is refused, and takes nothing from others', async (context) => {
  const { api, call, pass } = await start(context)
  api.open((_, response) => response.end('the API'))
  const count = async (times: number) => {
    let answered = 0
    for (let asked = 0; asked < times; asked += 20) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => call()))
      answered += answers.filter((answer) => answer.endsWith('the API')).length
      assert(answers.every((answer) => /^HTTP\/1.1 (200|503) /.test(answer)))
    }
    return answered
  }
  assert.equal(await count(440), 400)
  assert.match(await call('127.0.0.2'), /the API/)
  pass(100)
  assert.equal(await count(40), 20)
})

test('an address that holds connections open leaves others theirs', async (context) => {
  const { api, port, call } = await start(context)
  api.open((_, response) => response.end('the API'))
  const held: Socket[] = []
  context.after(() => held.forEach((socket) => socket.destroy()))
  for (let count = 0; count < 64; count++) {
    const socket = connect({ host: '127.0.0.1', port })
    held.push(socket)
    await once(socket, 'connect')
  }
  const oneMore = connect({ host: '127.0.0.1', port })
  oneMore.on('error', () => undefined)
  await once(oneMore, 'close')
  assert.match(await call('127.0.0.2'), /the API/)
  const [first] = held
  first?.destroy()
  await once(first as Socket, 'close')
  for (;;) if (/the API/.test(await call().catch(() => ''))) break
  const closed = Promise.all(held.slice(1).map((socket) => once(socket, 'close')))
  api.close()
  await closed
})
