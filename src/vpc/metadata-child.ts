/** The child of `listenInside`: opens the socket of the metadata service, hands it over, ends. */
import { createServer } from 'node:net'
import { metadataAddress } from './spec.ts'

const server = createServer().listen({ host: metadataAddress, port: 80 }, () => {
  process.send?.('listening', server)
})
// Whoever wanted it has ended, maybe before this was read.
process.once('disconnect', () => process.exit())
if (!process.connected) process.exit()
