import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { databases } from '../../test/databases.ts'
import { transaction } from '../db/database.ts'
import { EventFeed } from './feed.ts'
import { insertEvents } from './store.ts'
import { streamEvents, type StreamOptions } from './stream.ts'

const owner = { accountId: '111111111111', region: 'us-east-1' }

async function start(context: TestContext, changes: Partial<StreamOptions>) {
  const db = await databases.sqlite(context)
  const feed = new EventFeed()
  let ended = 0
  const server = createServer((_request, response) => {
    const options = { db: db.reads, feed, ...owner, after: 0, heartbeatMs: 60_000, drainMs: 60_000 }
    void streamEvents(response, { ...options, isAllowed: async () => true, ...changes }).then(
      () => ended++,
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    feed,
    ended: () => ended,
    add: async (from: number, count: number, bytes: number): Promise<void> => {
      const events = Array.from({ length: count }, (_, index) => ({
        position: from + index,
        id: `id-${from + index}`,
        ...owner,
        resourceId: 'i-1',
        at: new Date(),
        body: JSON.stringify('x'.repeat(bytes)),
      }))
      await transaction(db.writes, (tx) => insertEvents(tx, events))
      feed.wake()
    },
    connect: async (): Promise<IncomingMessage> => {
      const asked = get(`http://127.0.0.1:${port}/`)
      const [response] = (await once(asked, 'response')) as [IncomingMessage]
      return response
    },
  }
}

test('a reader gets everything behind where it begins, in order', async (context) => {
  const { add, connect } = await start(context, { after: 2 })
  await add(1, 250, 1000)
  let text = ''
  for await (const chunk of (await connect()).setEncoding('utf8')) {
    text += String(chunk)
    if (text.includes('id: 250\n')) break
  }
  const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))
  assert.deepEqual(ids, [2, ...Array.from({ length: 248 }, (_, index) => index + 3)])
})

test('a reader that does not read is cut off', async (context) => {
  const { add, connect, ended } = await start(context, { drainMs: 50 })
  await add(1, 16, 1_000_000)
  const slow = await connect()
  while (ended() === 0) await new Promise((resolve) => setImmediate(resolve))
  let bytes = 0
  await assert.rejects(async () => {
    for await (const chunk of slow) bytes += (chunk as Buffer).length
  }, /aborted/)
  assert(bytes < 16_000_000)
})

test('a stream ends when its reader may read no longer, and tells of itself meanwhile', async (context) => {
  let asked = 0
  const { connect } = await start(context, { heartbeatMs: 20, isAllowed: async () => ++asked < 3 })
  let text = ''
  for await (const chunk of (await connect()).setEncoding('utf8')) text += String(chunk)
  assert.equal(text.match(/: still here/g)?.length, 2)
})

test('nothing more is told to a reader who may read no longer', async (context) => {
  const { add, connect } = await start(context, { isAllowed: async () => false })
  const reader = (await connect()).setEncoding('utf8')
  await add(1, 1, 10)
  let text = ''
  for await (const chunk of reader) text += String(chunk)
  assert.match(text, /^id: 0$/m)
  assert.doesNotMatch(text, /data/)
})

test('a reader that goes is noticed at once', async (context) => {
  const { add, connect, ended } = await start(context, {})
  const reader = await connect()
  await add(1, 1, 10)
  await once(reader, 'data')
  reader.destroy()
  while (ended() === 0) await new Promise((resolve) => setImmediate(resolve))
})
