/**
 * The metadata database: SQLite in a file, or PostgreSQL.
 *
 * SQLite has one connection that writes and one that reads, so that a call
 * that only describes things never waits for a disk.
 */
import { type FileHandle, open as openFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import {
  Kysely,
  PostgresDialect,
  type SqliteDatabase,
  SqliteDialect,
  type SqliteStatement,
  sql,
  type Transaction,
} from 'kysely'
import pg from 'pg'
import { migrations } from './migrations.ts'
import type { Tables } from './schema.ts'
import { unwatchStates, watchStates } from './state-changes.ts'

export type Database = Kysely<Tables>
export type Tx = Transaction<Tables>

/** The two ways into one database. What `writes` has committed, `reads` sees at once. */
export interface Connections {
  readonly writes: Database
  readonly reads: Database
  /**
   * A transaction that is synced while this thread goes on with other things: when it resolves,
   * what it did is on the disk. Others see it a moment earlier.
   */
  commitAside<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  /**
   * Sees to it that what was deleted from a table is in no file of the database any
   * more (PostgreSQL's own log apart). Tells whether it could be done now: somebody may still read what was there.
   */
  forget(table: keyof Tables): Promise<boolean>
  close(): Promise<void>
}

export function openSqlite(path: string): Connections {
  const open = (options: { readOnly: boolean }) => {
    const file = new DatabaseSync(path, { ...options, timeout: 10_000 })
    if (!options.readOnly) {
      file.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
      // What is deleted is overwritten: there are keys in some rows.
      file.exec('PRAGMA secure_delete = ON')
    }
    const dialect = new SqliteDialect({ database: forKysely(file) })
    return { file, db: new Kysely<Tables>({ dialect }) }
  }
  const { file, db: writes } = open({ readOnly: false })
  const { db: reads } = open({ readOnly: true })
  let log: Promise<FileHandle> | undefined
  // To sync the log is all that a commit does more when it is `FULL`
  // (https://www.sqlite.org/pragma.html#pragma_synchronous), and every commit after it syncs this one too.
  const commitAside = async <T>(work: (tx: Tx) => Promise<T>) => {
    const done = await writes.connection().execute(async (db) => {
      file.exec('PRAGMA synchronous = NORMAL')
      try {
        return await transaction(db, work)
      } finally {
        file.exec('PRAGMA synchronous = FULL')
      }
    })
    await (await (log ??= openFile(`${path}-wal`))).datasync()
    return done
  }
  // The overwritten pages have to leave the log for the file, and the log its old ones. Whoever
  // reads is in this process and cannot end while it waits, so it does not wait.
  const forget = () =>
    writes.connection().execute(async (db) => {
      // It takes effect where it is prepared, so it must not be one that is kept.
      file.exec('PRAGMA busy_timeout = 0')
      try {
        const { rows } = await sql<{ busy: number }>`PRAGMA wal_checkpoint(TRUNCATE)`.execute(db)
        return rows[0]?.busy === 0
      } finally {
        file.exec('PRAGMA busy_timeout = 10000')
      }
    })
  const close = async () => {
    await (await log?.catch(() => undefined))?.close()
    await reads.destroy()
    await writes.destroy()
  }
  return { writes, reads, commitAside, forget, close }
}

/** Opens a PostgreSQL database. A connection that breaks while idle is replaced, and `onBroken` told. */
export function openPostgres(
  url: string,
  onBroken: (error: Error) => void = () => {},
): Connections {
  // BIGINT comes back as text unless told otherwise, and no number of ours is over 2^53.
  pg.types.setTypeParser(pg.types.builtins.INT8, Number)
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  pool.on('error', onBroken)
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  const forget = async (table: keyof Tables) => {
    // Only a table that is written anew has nothing of its old rows.
    await sql`VACUUM (FULL) ${sql.table(table)}`.execute(db)
    return true
  }
  const commitAside = <T>(work: (tx: Tx) => Promise<T>) => transaction(db, work)
  return { writes: db, reads: db, commitAside, forget, close: () => db.destroy() }
}

/** Runs `work` in one transaction. What it throws rolls everything back. */
export async function transaction<T>(db: Database, work: (tx: Tx) => Promise<T>): Promise<T> {
  return await db.transaction().execute(work)
}

/** Whether a transaction failed because there is no room on the disk. Nothing of it is done then. */
export function isDiskFull(error: unknown): boolean {
  const [sqliteFull, postgresFull] = [13, '53100']
  if (!(error instanceof Error)) return false
  const isFull =
    ('errcode' in error && error.errcode === sqliteFull) ||
    ('code' in error && (error.code === postgresFull || error.code === 'ENOSPC'))
  return isFull || isDiskFull(error.cause)
}

export async function migrate(db: Database): Promise<void> {
  await sql`CREATE TABLE IF NOT EXISTS migrations (step INTEGER PRIMARY KEY)`.execute(db)
  await transaction(db, async (tx) => {
    const done = await sql<{ steps: number }>`SELECT COUNT(*) AS steps FROM migrations`.execute(tx)
    const first = Number(done.rows[0]?.steps ?? 0)
    if (first > migrations.length) {
      throw new Error(
        `Cannot open the database as a newer version of Imago wrote it: ${first} migrations, ` +
          `and this version knows ${migrations.length}`,
      )
    }
    if (first < migrations.length) await unwatchStates(tx)
    for (const [step, statement] of migrations.entries()) {
      if (step < first) continue
      await sql.raw(statement).execute(tx)
      await sql`INSERT INTO migrations (step) VALUES (${step})`.execute(tx)
    }
    await watchStates(tx)
  })
}

const statementsKeptMax = 500
const nothingChanged = { changes: 0, lastInsertRowid: 0 }

/** Kysely expects the interface of `better-sqlite3`; `node:sqlite` needs no native module. */
function forKysely(file: DatabaseSync): SqliteDatabase {
  const kept = new Map<string, SqliteStatement>()
  const make = (source: string): SqliteStatement => {
    const statement = file.prepare(source)
    type Values = Parameters<typeof statement.all>
    return {
      // It takes as long to find out as a short query does, so it is found out once.
      reader: statement.columns().length > 0,
      all: (values) => statement.all(...(values as Values)),
      run: (values) => {
        // A disk that is full ends the transaction by itself, and that is what is to be told.
        if (/^rollback$/i.test(source) && !file.isTransaction) return nothingChanged
        return statement.run(...(values as Values))
      },
      iterate: (values) => statement.iterate(...(values as Values)),
    }
  }
  return {
    close: () => file.close(),
    prepare(source) {
      const found = kept.get(source)
      if (found) return found
      const made = make(source)
      if (kept.size >= statementsKeptMax) kept.clear()
      kept.set(source, made)
      return made
    },
  }
}
