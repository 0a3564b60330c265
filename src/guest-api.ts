/**
 * The API as guests reach it: at a socket in the namespace of each VPC. It is the same API
 * with the same signatures; that a call came in here says which VPC it is from. What no
 * signature is needed for is limited by the address, which no guest can make up.
 */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { Server as NetServer, Socket } from 'node:net'
import { limits, silenceMsMax } from './http.ts'
import type { Id } from './lib/ids.ts'
import { RateLimiter } from './wire/rate-limiter.ts'

const callsPerSecond = 200
/** Of one VPC, and of one of its addresses. */
const connectionsMax = 256
const connectionsOfAddressMax = 64

export class GuestApi {
  #listener: RequestListener = (_, response) => response.writeHead(503).end()
  readonly #nowMs: () => number
  readonly #vpcs = new WeakMap<Socket, Id<'vpc'>>()
  readonly #servers = new Map<Id<'vpc'>, Server>()

  /** The clock is monotonic. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
  }

  /** Says who answers; before that, guests are told to come again. */
  open(listener: RequestListener): void {
    this.#listener = listener
  }

  /** Serves a VPC on a socket that listens in its namespace; an older one is closed. */
  serve(vpcId: Id<'vpc'>, socket: NetServer): void {
    this.#servers.get(vpcId)?.close()
    const limiter = new RateLimiter(callsPerSecond)
    const server = createServer(limits, (request, response) => {
      const address = request.socket.remoteAddress ?? ''
      if (limiter.mayCall(address, this.#nowMs())) this.#listener(request, response)
      else response.writeHead(503, { connection: 'close' }).end()
    })
    server.setTimeout(silenceMsMax)
    server.maxConnections = connectionsMax
    const counts = new Map<string, number>()
    server.on('connection', (connection: Socket) => {
      const { remoteAddress: address = '' } = connection
      const count = (counts.get(address) ?? 0) + 1
      counts.set(address, count)
      connection.once('close', () => {
        const left = (counts.get(address) ?? 1) - 1
        if (left > 0) counts.set(address, left)
        else counts.delete(address)
      })
      if (count > connectionsOfAddressMax) connection.destroy()
      else this.#vpcs.set(connection, vpcId)
    })
    this.#servers.set(vpcId, server.listen(socket))
  }

  /** Which VPC a connection comes from; nothing where it is not from a guest. */
  vpcOf(connection: Socket): Id<'vpc'> | undefined {
    return this.#vpcs.get(connection)
  }

  close(): void {
    for (const server of this.#servers.values()) {
      server.close()
      server.closeAllConnections()
    }
  }
}
