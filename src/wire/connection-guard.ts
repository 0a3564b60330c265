/**
 * Who may stay connected when there are too many. A connection that was never answered with a
 * success is unproven: of those, the one that is waiting longest makes room for the next, then of
 * the others the one that is idle longest. Nobody is cut off while an answer is made for him. So
 * clients that are slow, silent or many cost each other their places, and nobody else's.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface GuardLimits {
  readonly connectionsMax: number
  /** Of all requests together that are not whole yet. */
  readonly bodyBytesMax: number
}

interface Connection {
  /** Of the network; under TLS it is not the one that requests are read from. */
  readonly socket: Socket
  isProven: boolean
  /** Requests that are being answered. */
  answers: number
  /** What has come of a request that is not whole. */
  bodyBytes: number
}

export class ConnectionGuard {
  readonly #limits: GuardLimits
  readonly #all = new Set<Connection>()
  readonly #bySocket = new WeakMap<Socket, Connection>()
  /** Under TLS, to tell which socket is over which. */
  readonly #byPeer = new Map<string, Connection>()
  /** Both in the order in which they began to wait. */
  readonly #unproven = new Set<Connection>()
  readonly #proven = new Set<Connection>()
  #bodyBytes = 0

  constructor(limits: GuardLimits) {
    this.#limits = limits
  }

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.#admit(socket))
    server.on('secureConnection', (socket: Socket) => {
      const connection = this.#byPeer.get(peerOf(socket))
      if (connection) this.#bySocket.set(socket, connection)
    })
  }

  /** Counts what comes of the body of a request. */
  reading(message: IncomingMessage): void {
    const connection = this.#bySocket.get(message.socket)
    if (!connection) return
    message.on('data', (chunk: Buffer) => {
      connection.bodyBytes += chunk.length
      this.#bodyBytes += chunk.length
      if (this.#bodyBytes > this.#limits.bodyBytesMax)
        this.#makeRoom(({ bodyBytes }) => bodyBytes > 0)
    })
  }

  /** The request is whole: whoever sent it keeps his place until he has the answer. */
  answering(message: IncomingMessage, response: ServerResponse): void {
    const connection = this.#bySocket.get(message.socket)
    if (!connection) return
    this.#forgetBody(connection)
    connection.answers++
    this.#leaveRow(connection)
    response.once('close', () => {
      connection.answers--
      connection.isProven ||= response.writableFinished && response.statusCode < 400
      if (connection.answers === 0 && !connection.socket.destroyed) this.#enterRow(connection)
    })
  }

  #admit(socket: Socket): void {
    const { connectionsMax } = this.#limits
    if (this.#all.size >= connectionsMax && !this.#makeRoom(() => true)) {
      socket.destroy()
      return
    }
    const peer = peerOf(socket)
    const connection = { socket, isProven: false, answers: 0, bodyBytes: 0 }
    this.#all.add(connection)
    this.#bySocket.set(socket, connection)
    this.#byPeer.set(peer, connection)
    this.#unproven.add(connection)
    socket.once('close', () => {
      this.#leave(connection)
      if (this.#byPeer.get(peer) === connection) this.#byPeer.delete(peer)
    })
  }

  /** Cuts off the first in the rows that is so, and tells whether there was one. */
  #makeRoom(isSo: (connection: Connection) => boolean): boolean {
    for (const row of [this.#unproven, this.#proven]) {
      for (const connection of row) {
        if (!isSo(connection)) continue
        this.#leave(connection)
        connection.socket.destroy()
        return true
      }
    }
    return false
  }

  #enterRow(connection: Connection): void {
    const row = connection.isProven ? this.#proven : this.#unproven
    row.add(connection)
  }

  #leaveRow(connection: Connection): void {
    this.#unproven.delete(connection)
    this.#proven.delete(connection)
  }

  #leave(connection: Connection): void {
    this.#all.delete(connection)
    this.#leaveRow(connection)
    this.#forgetBody(connection)
  }

  #forgetBody(connection: Connection): void {
    this.#bodyBytes -= connection.bodyBytes
    connection.bodyBytes = 0
  }
}

/** Of two connections that are open at a time, each has its own. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
