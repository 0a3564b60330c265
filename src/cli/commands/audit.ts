/**
 * `imago audit`: proves that the trails are whole, and writes them out. It reads the
 * database of the data folder, beside a service at work.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { verifyTrails } from '../../audit/verify.ts'
import { findTrailWith, listKept, listTrails } from '../../audit/store.ts'
import { readConfig } from '../../config.ts'
import { type Database, openSqlite, transaction } from '../../db/database.ts'
import { CommandFailed } from '../failure.ts'
import { say, type Shell } from '../shell.ts'

const readAtOnce = 500
const nameOf = (accountId: string) => accountId || 'calls that nobody signed'

export interface VerifyOptions {
  /** What was printed before, and kept where nobody changes it. */
  readonly hash?: readonly string[]
}

/** Answers 0 where every trail is whole, else 1. The hash of each is printed, to be kept elsewhere. */
export async function verifyAudit(
  shell: Shell,
  { hash: kept = [] }: VerifyOptions,
): Promise<number> {
  return await withDatabase(shell, async (all) => {
    let isWhole = true
    // One state of the database, whatever is recorded meanwhile.
    const [trails, found] = await transaction(all, async (db) => [
      await Array.fromAsync(verifyTrails(db)),
      await Promise.all(kept.map((hash) => findTrailWith(db, hash))),
    ])
    for (const { accountId, events, hash, brokenAt } of trails) {
      const name = nameOf(accountId)
      if (brokenAt) {
        isWhole = false
        say(shell, `${name}: event ${brokenAt.position} ${brokenAt.what}`)
      } else say(shell, `${name}: ${events} events, whole, up to ${hash}`)
    }
    for (const [index, hash] of kept.entries()) {
      const accountId = found[index]
      if (accountId === undefined) {
        isWhole = false
        say(
          shell,
          `${hash}: in no trail; what led to it was changed, or is older than what is kept`,
        )
      } else say(shell, `${hash}: in the trail of ${nameOf(accountId)}`)
    }
    return isWhole ? 0 : 1
  })
}

export interface ExportOptions {
  readonly account?: string
}

/** Prints the events of all accounts, or of one, as CloudTrail's JSON: a line each. */
export async function exportAudit(shell: Shell, { account }: ExportOptions): Promise<void> {
  await withDatabase(shell, async (db) => {
    const trails = await listTrails(db)
    const wanted = trails.filter(({ accountId }) => account === undefined || accountId === account)
    if (wanted.length === 0)
      throw new CommandFailed(`There is no trail of: ${account ?? 'anybody'}`)
    for (const { accountId, firstPosition } of wanted) {
      for (let after = firstPosition; ;) {
        const events = await listKept(db, { accountId, after, limit: readAtOnce })
        for (const { record } of events) say(shell, record)
        const last = events.at(-1)
        if (!last) break
        after = last.position
      }
    }
  })
}

async function withDatabase<T>(shell: Shell, work: (db: Database) => Promise<T>): Promise<T> {
  const { dataFolder } = readConfig(shell.environment)
  const path = join(dataFolder, 'imago.db')
  if (!existsSync(path)) {
    throw new CommandFailed(`There is no installation in the data folder: ${dataFolder}`)
  }
  const connections = openSqlite(path)
  try {
    return await work(connections.reads)
  } finally {
    await connections.close()
  }
}
