/**
 * Writes down what was called. A change and its event share one transaction; what
 * changed nothing is gathered and written in groups, so that describing things
 * never waits for a disk.
 */
import { type Database, transaction } from '../db/database.ts'
import type { AuditEvent } from './event.ts'
import { recordEvents, type ToRecord } from './store.ts'

const flushEveryMs = 1000
const gatheredMax = 200

export interface AuditLogOptions {
  readonly db: Database
  readonly newId: () => string
  readonly onError: (error: unknown) => void
}

export class AuditLog {
  readonly #options: AuditLogOptions
  #gathered: ToRecord[] = []
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> = Promise.resolve()

  constructor(options: AuditLogOptions) {
    this.#options = options
  }

  /** Records a change inside of its own transaction, for its caller and whose things it used. */
  async record(tx: Database, event: AuditEvent, owners: readonly string[] = []): Promise<void> {
    await recordEvents(tx, [{ event, owners, newId: this.#options.newId }])
  }

  /** Takes note of a call that changed nothing. It is written soon. */
  add(event: AuditEvent, owners: readonly string[] = []): void {
    this.#gathered.push({ event, owners, newId: this.#options.newId })
    if (this.#gathered.length >= gatheredMax) void this.flush()
    this.#timer ??= setTimeout(() => void this.flush(), flushEveryMs).unref()
  }

  /** Writes what was gathered. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const events = this.#gathered
    this.#gathered = []
    if (events.length === 0) return this.#flushing
    const { db, onError } = this.#options
    const write = () => transaction(db, (tx) => recordEvents(tx, events))
    this.#flushing = this.#flushing.then(write).catch(onError)
    return this.#flushing
  }
}
