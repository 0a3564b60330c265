/**
 * A server of read-only disks on a socket that only its own user can open. A disk stays open as long as
 * somebody is connected to it. Whatever fails but the content itself ends the connection without an
 * answer: the client connects again and asks again.
 */
import { chmod, type FileHandle, mkdir, open as openFile, unlink } from 'node:fs/promises'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { basename, dirname } from 'node:path'
import { ByteReader } from './byte-reader.ts'
import { negotiate } from './negotiate.ts'
import type { Export } from './protocol.ts'
import { transmit } from './transmit.ts'

/** A disk that somebody has opened. */
export interface OpenedExport extends Export, Disposable {}

export interface NbdServerOptions {
  readonly path: string
  /** Throws, or says that there is none of the name. */
  readonly open: (name: string) => Promise<OpenedExport | undefined>
  readonly onError: (error: unknown) => void
}

/** A client has this long to choose an export. */
const negotiationMs = 10_000
/** Each disk of each machine has one. */
const connectionsMax = 512

export class NbdServer implements AsyncDisposable {
  readonly #server: Server
  readonly #folder: FileHandle
  readonly #sockets = new Set<Socket>()
  readonly #underWay = new Set<Promise<void>>()

  private constructor(server: Server, folder: FileHandle) {
    this.#server = server
    this.#folder = folder
  }

  /** Listens at that path, of which a program before us may have left the socket. */
  static async listen(options: NbdServerOptions): Promise<NbdServer> {
    const folder = dirname(options.path)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const handle = await openFile(folder, 'r')
    // Named in few characters: the path of a socket may have 107 bytes only.
    const path = `/proc/self/fd/${handle.fd}/${basename(options.path)}`
    await unlink(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
    const server = createServer()
    server.maxConnections = connectionsMax
    const nbd = new NbdServer(server, handle)
    server.on('connection', (socket) => nbd.#accept(socket, options))
    server.listen({ path })
    await once(server, 'listening')
    await chmod(path, 0o600)
    return nbd
  }

  /** Ends all connections; their clients wait for the next server. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all([closed, ...this.#underWay])
    await this.#folder.close()
  }

  #accept(socket: Socket, options: NbdServerOptions): void {
    this.#sockets.add(socket)
    // Each request that is under way listens.
    socket.setMaxListeners(0)
    // `close` follows, and says it all.
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
    const serving = this.#serve(socket, options)
      .catch((error: unknown) => {
        if (!socket.destroyed) options.onError(error)
      })
      .finally(() => {
        socket.destroy()
        this.#underWay.delete(serving)
      })
    this.#underWay.add(serving)
  }

  async #serve(socket: Socket, { open, onError }: NbdServerOptions): Promise<void> {
    const connection = { socket, reader: new ByteReader(socket) }
    using opened = new DisposableStack()
    const timer = setTimeout(() => socket.destroy(), negotiationMs)
    const disk = await negotiate(connection, async (name) => {
      try {
        const found = await open(name)
        if (found) opened.use(found)
        return found
      } catch (error) {
        onError(error)
        return undefined
      }
    }).finally(() => clearTimeout(timer))
    if (disk) await transmit(connection, disk)
    socket.end()
    // What was answered last is on its way.
    if (!socket.destroyed) await Promise.race([once(socket, 'close'), once(socket, 'finish')])
  }
}
