/**
 * Small changes that come in great numbers: those that wait at the same time share one
 * transaction, and so one sync of the disk. Invariant: what one of them throws takes back
 * its own change only, and none is told that it is done before all are committed and on the disk.
 */
import { sql } from 'kysely'
import type { Connections, Tx } from './database.ts'

interface Waiting {
  /** Does the work, and tells how to say what came of it once that is committed. */
  readonly run: (tx: Tx) => Promise<() => void>
  readonly fail: (error: unknown) => void
}

const sharedMax = 64

export class SharedTransactions {
  readonly #db: Pick<Connections, 'commitAside'>
  readonly #waiting: Waiting[] = []
  #isRunning = false

  constructor(db: Pick<Connections, 'commitAside'>) {
    this.#db = db
  }

  /** As `transaction`, but not alone in it. */
  run<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = async (tx: Tx) => {
        try {
          const done = await inSavepoint(tx, work)
          return () => resolve(done)
        } catch (error) {
          if (error instanceof TransactionLost) throw error.cause
          return () => reject(error)
        }
      }
      this.#waiting.push({ run, fail: reject })
      if (this.#isRunning) return
      this.#isRunning = true
      // What becomes ready in the same turn comes along.
      setImmediate(() => void this.#runAll())
    })
  }

  async #runAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const works = this.#waiting.splice(0, sharedMax)
      try {
        const outcomes = await this.#db.commitAside(async (tx) => {
          const done: (() => void)[] = []
          for (const { run } of works) done.push(await run(tx))
          return done
        })
        for (const tell of outcomes) tell()
      } catch (error) {
        for (const { fail } of works) fail(error)
      }
    }
    this.#isRunning = false
  }
}

/** The database has given up the whole transaction, as it does when its disk is full. */
class TransactionLost extends Error {}

async function inSavepoint<T>(tx: Tx, work: (tx: Tx) => Promise<T>): Promise<T> {
  await sql`SAVEPOINT one_of_many`.execute(tx)
  try {
    const done = await work(tx)
    await sql`RELEASE SAVEPOINT one_of_many`.execute(tx)
    return done
  } catch (error) {
    await sql`ROLLBACK TO SAVEPOINT one_of_many`.execute(tx).catch(() => {
      throw new TransactionLost('the transaction is over', { cause: error })
    })
    throw error
  }
}
