/**
 * A connection to the monitor of one running QEMU, in the QMP protocol: one
 * JSON object a line, answers told apart from events by their `id`. Once lost
 * it stays lost; connecting again is the caller's business.
 * https://www.qemu.org/docs/master/interop/qmp-spec.html
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { Commands } from './qmp-commands.ts'

export interface QmpEvent {
  readonly event: string
  readonly data?: unknown
  readonly timestamp: { readonly seconds: number; readonly microseconds: number }
}

export interface QmpListener {
  readonly event?: (event: QmpEvent) => void
  /** The connection is closed, by whomever. The last thing that is told. */
  readonly closed?: () => void
}

/** QEMU understood the command and refused it. */
export class QmpRefusal extends Error {
  readonly kind: string
  readonly description: string

  constructor(command: string, kind: string, description: string) {
    super(`QEMU refused ${command}: ${description}`)
    this.name = 'QmpRefusal'
    this.kind = kind
    this.description = description
  }
}

/** The connection is gone. Whether QEMU carried out what it was told, nobody knows. */
export class QmpGone extends Error {
  override readonly name = 'QmpGone'
}

type Message =
  | { QMP: object }
  | { id: number; return: unknown }
  | { id: number; error: { class: string; desc: string } }
  | QmpEvent

interface Waiting {
  readonly command: string
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
}

export class Qmp implements AsyncDisposable {
  readonly #socket: Socket
  readonly #listeners = new Set<QmpListener>()
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    const lines = createInterface({ input: socket })
    lines.on('line', (line) => this.#receive(JSON.parse(line) as Message))
    // A QEMU that dies may reset the connection. `close` follows, and says it all.
    for (const emitter of [socket, lines]) emitter.on('error', () => {})
    socket.on('close', () => this.#close())
  }

  /** Connects, and leaves the monitor ready for commands. */
  static async open(path: string, listener: QmpListener = {}): Promise<Qmp> {
    const socket = connect({ path })
    await once(socket, 'connect')
    const qmp = new Qmp(socket)
    qmp.#listeners.add(listener)
    await qmp.run('qmp_capabilities', undefined, { timeoutMs: 10_000 })
    return qmp
  }

  /** Has the listener told of everything from now on, until the function it returns is called. */
  listen(listener: QmpListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get isClosed(): boolean {
    return this.#socket.destroyed
  }

  async run<Name extends keyof Commands>(
    command: Name,
    takes: Commands[Name]['takes'],
    options: { timeoutMs: number } = { timeoutMs: 10_000 },
  ): Promise<Commands[Name]['answers']> {
    if (this.#socket.destroyed) throw new QmpGone(`${command}: the connection is closed`)
    const id = ++this.#lastId
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#waiting.set(id, { command, resolve, reject })
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: takes, id })}\n`)
    const timer = setTimeout(() => {
      // An answer may still come, to a command that we no longer wait for. Start afresh.
      reject(new QmpGone(`${command}: no answer in ${options.timeoutMs} ms`))
      this.#socket.destroy()
    }, options.timeoutMs)
    try {
      return (await promise) as Commands[Name]['answers']
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(id)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.destroyed) return
    this.#socket.destroy()
    await once(this.#socket, 'close')
  }

  #receive(message: Message): void {
    if ('QMP' in message) return
    if ('event' in message) {
      for (const listener of this.#listeners) listener.event?.(message)
      return
    }
    const waiting = this.#waiting.get(message.id)
    assert(waiting, `QEMU answered command ${message.id}, which nobody gave`)
    if ('error' in message) {
      waiting.reject(new QmpRefusal(waiting.command, message.error.class, message.error.desc))
    } else {
      waiting.resolve(message.return)
    }
  }

  #close(): void {
    for (const { command, reject } of this.#waiting.values()) {
      reject(new QmpGone(`${command}: QEMU closed the connection`))
    }
    for (const listener of this.#listeners) listener.closed?.()
  }
}
