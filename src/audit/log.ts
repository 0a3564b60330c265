/**
 * Writes down what was called. A change and its event share one transaction; what
 * changed nothing is gathered and written in groups, so that describing things
 * never waits for a disk. A group that cannot be written, such as while somebody else
 * holds the database, is tried again for a while.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Database, transaction } from '../db/database.ts'
import type { AuditEvent } from './event.ts'
import { recordEvents, type ToRecord } from './store.ts'

const flushEveryMs = 1000
const gatheredMax = 200
const triesMax = 10
/** So many wait to be written at the most: what they take of memory has an end. */
const waitingMax = 20_000

export interface AuditLogOptions {
  readonly db: Database
  readonly newId: () => string
  /** Told of so many events that were given up. */
  readonly onLost: (count: number, error: unknown) => void
  readonly retryAfterMs?: number
}

export class AuditLog {
  readonly #options: AuditLogOptions
  #gathered: ToRecord[] = []
  #waiting = 0
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
    if (this.#waiting + events.length > waitingMax) {
      this.#options.onLost(events.length, new Error('too many wait to be written'))
      return this.#flushing
    }
    this.#waiting += events.length
    this.#flushing = this.#flushing
      .then(() => this.#write(events))
      .finally(() => (this.#waiting -= events.length))
    return this.#flushing
  }

  /** Never fails: what it gives up it tells. */
  async #write(events: readonly ToRecord[]): Promise<void> {
    const { db, onLost, retryAfterMs = 1000 } = this.#options
    for (let tries = 1; ; tries++) {
      try {
        return await transaction(db, (tx) => recordEvents(tx, events))
      } catch (error) {
        if (tries === triesMax) return onLost(events.length, error)
        await sleep(retryAfterMs)
      }
    }
  }
}
