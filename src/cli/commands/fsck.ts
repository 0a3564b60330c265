/**
 * `imago fsck`: verifies every block and every disk, and that rows, files and
 * machines agree. It reads beside a service at work, where things move while they
 * are looked at: what is wrong is wrong at every look. To repair, it has to be alone.
 */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { sql } from 'kysely'
import { verifyTrails } from '../../audit/verify.ts'
import { BlockStore, type StoreUsage } from '../../block-store/block-store.ts'
import { checkMasterKey } from '../../checker/check-master-key.ts'
import { checkInstallation } from '../../checker/checker.ts'
import type { Finding } from '../../checker/finding.ts'
import { repairInstallation } from '../../checker/repair.ts'
import { readConfig } from '../../config.ts'
import { type Database, openSqlite, transaction } from '../../db/database.ts'
import { lockFolder } from '../../db/lock.ts'
import { readMasterKey } from '../../db/master-key.ts'
import { migrations } from '../../db/migrations.ts'
import type { Sealer } from '../../lib/seal.ts'
import { askForMasterKey } from '../master-key-command.ts'
import { CommandFailed } from '../failure.ts'
import { Progress } from '../progress.ts'
import { say, type Shell } from '../shell.ts'

const looksMax = 4
const betweenLooksMs = 1_500
const mebibyte = 2 ** 20

export interface FsckOptions {
  readonly repair?: boolean
}

/** Answers 0 where all is well, else 1. */
export async function fsck(shell: Shell, { repair = false }: FsckOptions = {}): Promise<number> {
  const { dataFolder, masterKeyCommand } = readConfig(shell.environment)
  if (!existsSync(join(dataFolder, 'imago.db'))) {
    throw new CommandFailed(`There is no installation in the data folder: ${dataFolder}`)
  }
  using _alone = repair ? lockFolder(dataFolder) : undefined
  using progress = new Progress(shell)
  if (repair) await repairFolder(shell, dataFolder, progress)
  const given = masterKeyCommand && (await askForMasterKey(masterKeyCommand))
  const path = join(dataFolder, 'master-key')
  const masterKey = await readMasterKey({ path, randomBytes, ...(given && { given }) })
  const parts = { dataFolder, progress, masterKey }
  let { findings, usage } = await look(shell, parts)
  for (let looks = 1; !repair && looks < looksMax && findings.length > 0; looks++) {
    await wait(betweenLooksMs)
    const again = await look(shell, parts)
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

interface Parts {
  readonly dataFolder: string
  readonly progress: Progress
  readonly masterKey: Sealer | undefined
}

async function look(
  shell: Shell,
  { dataFolder, progress, masterKey }: Parts,
): Promise<{ findings: readonly Finding[]; usage: StoreUsage }> {
  const inside = await open(shell, dataFolder, { progress, readOnly: true })
  await using _opened = inside.opened
  const findings = [
    ...(await checkDatabase(inside.db)),
    ...(await checkTrails(inside.db)),
    ...(await checkMasterKey(inside.db, masterKey)),
  ]
  for await (const finding of checkInstallation({ ...inside, masterKey })) findings.push(finding)
  return { findings, usage: inside.blockStore.usage() }
}

/** Says what was repaired, and what is lost: that is found again by the look that follows. */
async function repairFolder(shell: Shell, dataFolder: string, progress: Progress): Promise<void> {
  const inside = await open(shell, dataFolder, { progress, readOnly: false })
  await using _opened = inside.opened
  const { repaired, lost } = await repairInstallation(inside)
  progress[Symbol.dispose]()
  for (const finding of [...repaired, ...lost]) say(shell, describe(finding))
}

async function open(
  { now }: Shell,
  dataFolder: string,
  { progress, readOnly }: { readonly progress: Progress; readonly readOnly: boolean },
) {
  await using opening = new AsyncDisposableStack()
  const connections = openSqlite(join(dataFolder, 'imago.db'))
  opening.defer(() => connections.close())
  const db = connections.reads
  await requireThisVersion(db)
  const folder = join(dataFolder, 'blocks')
  const blockStore = await BlockStore.open({ folder, now, graceMs: 0, readOnly })
  opening.defer(() => blockStore.close())
  const onProgress = (doneBytes: number, totalBytes: number) =>
    progress.show({ message: 'verifying blocks', doneBytes, totalBytes })
  return { db, blockStore, dataFolder, onProgress, opened: opening.move() }
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

/** One state of the database, whatever is recorded meanwhile. */
async function checkTrails(db: Database): Promise<readonly Finding[]> {
  const trails = await transaction(db, (tx) => Array.fromAsync(verifyTrails(tx)))
  return trails.flatMap(({ accountId, brokenAt }) =>
    brokenAt
      ? [
          {
            about: `the trail of ${accountId}`,
            what: `event ${brokenAt.position} ${brokenAt.what}`,
          },
        ]
      : [],
  )
}

function describe({ about, what }: Finding): string {
  return `${about} ${what}`
}
