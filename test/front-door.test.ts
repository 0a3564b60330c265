/** What comes in by the front door that no client sends: it is refused, and nobody else notices. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DescribeRegionsCommand } from '@aws-sdk/client-ec2'
import { exchange, malformedRequests, SlowClients } from './hostile-clients.ts'
import { startSystem } from './system.ts'

test('malformed requests are refused, and clients are served beside them and beside slow ones', async (context) => {
  const system = await startSystem(context, { isIdle: true })
  const { hostname: host, port } = new URL(system.endpoint)
  const place = { host, port: Number(port) }
  using slow = new SlowClients(place, 2500)
  await system.until('more than there are places for', async () => slow.returns > 300)

  const answers = malformedRequests().map(async ([name, bytes]) => {
    for (const status of await exchange(place, bytes)) {
      assert(status < 500 && (status >= 400 || status === 100), `${name}: ${status}`)
    }
  })
  for (let call = 0; call < 20; call++) {
    // A client with connections of its own has to get in.
    const { Regions } = await system.clientWith({}).send(new DescribeRegionsCommand({}))
    assert.equal(Regions?.length, 3)
  }
  await Promise.all(answers)
  assert(slow.openCount <= 2000)
})
