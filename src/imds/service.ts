/**
 * The metadata service at its sockets: one in the namespace of each VPC, where
 * the source address of a connection says which instance asks.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Server as NetServer } from 'node:net'
import type { Database } from '../db/database.ts'
import type { Id } from '../lib/ids.ts'
import type { Log } from '../lib/log.ts'
import { answerMetadata } from './answer.ts'
import { findGuest } from './facts.ts'

export interface MetadataDependencies {
  readonly db: Database
  readonly tokenKey: Uint8Array
  readonly now: () => Date
  readonly log: Log
}

export class MetadataService {
  readonly #dependencies: MetadataDependencies
  readonly #sockets = new Map<Id<'vpc'>, NetServer>()
  readonly #servers = new Map<Id<'vpc'>, Server>()

  constructor(dependencies: MetadataDependencies) {
    this.#dependencies = dependencies
  }

  /** Serves a VPC on a socket that listens in its namespace; an older one is closed. */
  serve(vpcId: Id<'vpc'>, socket: NetServer): void {
    this.#sockets.get(vpcId)?.close()
    this.#sockets.set(vpcId, socket)
    const server = this.#servers.get(vpcId) ?? this.#createServer(vpcId)
    this.#servers.set(vpcId, server)
    socket.on('connection', (connection) => server.emit('connection', connection))
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.close()
    for (const server of this.#servers.values()) server.closeAllConnections()
  }

  #createServer(vpcId: Id<'vpc'>): Server {
    const { log } = this.#dependencies
    return createServer(
      { requestTimeout: 30_000, maxHeaderSize: 16 * 1024 },
      (request, response) => {
        this.#answer(vpcId, request, response).catch((error: unknown) => {
          log.error('a request for metadata failed', { vpcId, error })
          response.writeHead(500).end('Internal Server Error')
        })
      },
    )
  }

  async #answer(
    vpcId: Id<'vpc'>,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { db, tokenKey, now } = this.#dependencies
    request.resume()
    const address = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
    const guest = await findGuest(db, vpcId, address)
    if (!guest) {
      response.writeHead(404).end('Not Found')
      return
    }
    const { method = '', headers } = request
    const path = decodePath(request.url ?? '/')
    const reply = await answerMetadata({ method, path, headers }, guest, {
      db,
      tokenKey,
      now: now(),
    })
    const body = Buffer.from(reply.body)
    response.writeHead(reply.status, {
      'content-type': 'text/plain',
      'content-length': body.length,
      server: 'EC2ws',
      // The filter tells a PUT by how a connection begins, so each has one request.
      connection: 'close',
      ...reply.headers,
    })
    response.end(method === 'HEAD' ? undefined : body)
  }
}

/** Names of tags may have any character in them; what cannot be decoded is no path of ours. */
function decodePath(url: string): string {
  const [path = '/'] = url.split('?')
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
