/** The child of `listenInside`: opens a socket at each address, hands them over in order, ends. */
import { once } from 'node:events'
import { createServer } from 'node:net'

// Whoever wanted them has ended, maybe before this was read.
process.once('disconnect', () => process.exit())
if (!process.connected) process.exit()
for (const host of process.argv.slice(2)) {
  const server = createServer().listen({ host, port: 80 })
  await once(server, 'listening')
  process.send?.(host, server)
}
