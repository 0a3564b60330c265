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
import type { RoleCredentials } from './role-credentials.ts'

export interface MetadataDependencies {
  readonly db: Database
  readonly tokenKey: Uint8Array
  readonly credentials: RoleCredentials
  readonly now: () => Date
  readonly log: Log
}

/** A request is a line and some headers, and each connection has one: more than this is an attack. */
const limits = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5000,
}
const connectionsMax = 500

export class MetadataService {
  readonly #dependencies: MetadataDependencies
  readonly #servers = new Map<Id<'vpc'>, Server>()

  constructor(dependencies: MetadataDependencies) {
    this.#dependencies = dependencies
  }

  /** Serves a VPC on a socket that listens in its namespace; an older one is closed. */
  serve(vpcId: Id<'vpc'>, socket: NetServer): void {
    this.#servers.get(vpcId)?.close()
    this.#servers.set(vpcId, this.#createServer(vpcId).listen(socket))
  }

  close(): void {
    for (const server of this.#servers.values()) {
      server.close()
      server.closeAllConnections()
    }
  }

  #createServer(vpcId: Id<'vpc'>): Server {
    const { log } = this.#dependencies
    const server = createServer(limits, (request, response) => {
      this.#answer(vpcId, request, response).catch((error: unknown) => {
        log.error('a request for metadata failed', { vpcId, error })
        response.writeHead(500).end('Internal Server Error')
      })
    })
    server.maxConnections = connectionsMax
    return server
  }

  async #answer(
    vpcId: Id<'vpc'>,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { db, tokenKey, credentials, now } = this.#dependencies
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
      credentials,
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
