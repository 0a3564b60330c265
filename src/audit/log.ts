/**
 * Writes down what was called. A change and its row share one transaction; what
 * changed nothing is gathered and written in groups, so that describing things
 * never waits for a disk.
 */
import type { Database } from '../db/database.ts'
import { type AuditEvent, recordEvents } from './store.ts'

const flushEveryMs = 1000
const gatheredMax = 200

export class AuditLog {
  readonly #db: Database
  readonly #onError: (error: unknown) => void
  #gathered: AuditEvent[] = []
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> = Promise.resolve()

  constructor(db: Database, onError: (error: unknown) => void) {
    this.#db = db
    this.#onError = onError
  }

  /** Records a change inside of its own transaction. */
  async record(tx: Database, event: AuditEvent): Promise<void> {
    await recordEvents(tx, [event])
  }

  /** Takes note of a call that changed nothing. It is written soon. */
  add(event: AuditEvent): void {
    this.#gathered.push(event)
    if (this.#gathered.length >= gatheredMax) void this.flush()
    this.#timer ??= setTimeout(() => void this.flush(), flushEveryMs).unref()
  }

  /** Writes what was gathered. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const events = this.#gathered
    this.#gathered = []
    this.#flushing = this.#flushing.then(() => recordEvents(this.#db, events)).catch(this.#onError)
    return this.#flushing
  }
}
