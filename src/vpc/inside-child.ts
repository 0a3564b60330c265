/** The child of `listenInside`: opens a socket at each address, hands them over in order, ends. */
import { once } from 'node:events'
import { createServer } from 'node:net'

// Whoever wanted them has ended, and with it this pipe. Node does not say that the channel is
// closed ('disconnect') as long as a socket that was sent is not acknowledged.
process.stdin.once('close', () => process.exit()).resume()
for (const host of process.argv.slice(2)) {
  const server = createServer().listen({ host, port: 80 })
  await once(server, 'listening')
  process.send?.(host, server)
}
