/**
 * `imago fsck`: verifies every block and every disk, and that rows, files and
 * machines agree. It reads beside a service at work, where things move while they
 * are looked at: what is wrong is wrong at every look.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { sql } from 'kysely'
import { BlockStore, type StoreUsage } from '../../block-store/block-store.ts'
import { checkInstallation } from '../../checker/checker.ts'
import type { Finding } from '../../checker/finding.ts'
import { readConfig } from '../../config.ts'
import { type Database, openSqlite } from '../../db/database.ts'
import { migrations } from '../../db/migrations.ts'
import { CommandFailed } from '../failure.ts'
import { Progress } from '../progress.ts'
import { say, type Shell } from '../shell.ts'

const looksMax = 4
const betweenLooksMs = 1_500
const mebibyte = 2 ** 20

/** Answers 0 where all is well, else 1. */
export async function fsck(shell: Shell): Promise<number> {
  const { dataFolder } = readConfig(shell.environment)
  if (!existsSync(join(dataFolder, 'imago.db'))) {
    throw new CommandFailed(`There is no installation in the data folder: ${dataFolder}`)
  }
  using progress = new Progress(shell)
  let { findings, usage } = await look(shell, dataFolder, progress)
  for (let looks = 1; looks < looksMax && findings.length > 0; looks++) {
    await wait(betweenLooksMs)
    const again = await look(shell, dataFolder, progress)
    const seen = new Set(again.findings.map(describe))
    findings = findings.filter((finding) => seen.has(describe(finding)))
    usage = again.usage
  }
  progress[Symbol.dispose]()
  for (const finding of findings) say(shell, describe(finding))
  const { blocks, manifests, bytes } = usage
  const checked = `${manifests} disks, ${blocks} blocks, ${(bytes / mebibyte).toFixed(1)} MiB`
  if (findings.length === 0) say(shell, `All is well: ${checked}`)
  else shell.errors.write(`imago: ${findings.length} things are wrong; looked at ${checked}\n`)
  return findings.length === 0 ? 0 : 1
}

async function look(
  shell: Shell,
  dataFolder: string,
  progress: Progress,
): Promise<{ findings: readonly Finding[]; usage: StoreUsage }> {
  const connections = openSqlite(join(dataFolder, 'imago.db'))
  try {
    const db = connections.reads
    await requireThisVersion(db)
    const findings = [...(await checkDatabase(db))]
    const blockStore = await BlockStore.open({
      folder: join(dataFolder, 'blocks'),
      now: shell.now,
      graceMs: 0,
      readOnly: true,
    })
    try {
      const onProgress = (doneBytes: number, totalBytes: number) =>
        progress.show({ message: 'verifying blocks', doneBytes, totalBytes })
      const installation = { db, blockStore, dataFolder, onProgress }
      for await (const finding of checkInstallation(installation)) findings.push(finding)
      return { findings, usage: blockStore.usage() }
    } finally {
      await blockStore.close()
    }
  } finally {
    await connections.close()
  }
}

async function requireThisVersion(db: Database): Promise<void> {
  const { rows } = await sql<{ steps: number }>`SELECT COUNT(*) AS steps FROM migrations`.execute(
    db,
  )
  if (rows[0]?.steps === migrations.length) return
  throw new CommandFailed('Start the service first: another version wrote the data folder')
}

/** What SQLite itself finds wrong with its file. */
async function checkDatabase(db: Database): Promise<readonly Finding[]> {
  const { rows } = await sql<{ quick_check: string }>`PRAGMA quick_check`.execute(db)
  const { rows: orphans } = await sql<{ table: string; parent: string }>`
    PRAGMA foreign_key_check`.execute(db)
  return [
    ...rows
      .filter(({ quick_check: said }) => said !== 'ok')
      .map(({ quick_check: said }) => ({ about: 'imago.db', what: `is damaged: ${said}` })),
    ...orphans.map(({ table, parent }) => ({
      about: 'imago.db',
      what: `has a row of ${table} without its row of ${parent}`,
    })),
  ]
}

function describe({ about, what }: Finding): string {
  return `${about} ${what}`
}
