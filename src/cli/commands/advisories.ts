/** `imago advisories`: brings in what is known of vulnerabilities, and says what there is. */
import { createReadStream } from 'node:fs'
import { glob, readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { BadRecord, readRecord, trimRecord } from '../../advisories/osv.ts'
import { messageOf } from '../../lib/message-of.ts'
import { CommandFailed } from '../failure.ts'
import { callImago, type Fields } from '../imago-client.ts'
import { readInstallation } from '../installation.ts'
import { say, type Shell } from '../shell.ts'

const path = '/imago/v1/advisories'
/** A call has at most a mebibyte. */
const batchBytesMax = 768 * 1024
const recordsMax = 2000

/** Sends records of OSV: a file of one, of a list, or of a line each, or a folder of such files. */
export async function importAdvisories(shell: Shell, from: string): Promise<void> {
  const { access } = readInstallation(shell)
  let batch: string[] = []
  let bytes = 0
  let sent = 0
  let older = 0
  const send = async (isLast: boolean) => {
    const records = batch.map((text): unknown => JSON.parse(text))
    const done = await callImago(access, 'POST', path, { records, isLast })
    older += Number(done['older'] ?? 0)
    sent += batch.length
    batch = []
    bytes = 0
  }
  let others = 0
  for await (const { file, record } of recordsIn(resolve(shell.folder, from))) {
    const text = trim(record, file)
    if (text === undefined) {
      others++
      continue
    }
    if (bytes + text.length > batchBytesMax || batch.length === recordsMax) await send(false)
    batch.push(text)
    bytes += text.length
  }
  if (sent + batch.length === 0) {
    throw new CommandFailed(`No advisories for Debian, Ubuntu or Alpine were found in: ${from}`)
  }
  await send(true)
  const beside = [
    ...(older > 0 ? [`${older} older than those that are there`] : []),
    ...(others > 0 ? [`${others} others left out`] : []),
  ]
  say(shell, `Imported ${sent} advisories${beside.map((text) => `, ${text}`).join('')}`)
}

/** Prints which advisories there are, and how many disks of images were held against them. */
export async function listAdvisories(shell: Shell): Promise<void> {
  const { access } = readInstallation(shell)
  const { importedAt, ecosystems, disks } = await callImago(access, 'GET', path)
  if (typeof importedAt !== 'string') {
    say(
      shell,
      'There are no advisories, so nothing is scanned. Bring some in: imago advisories import',
    )
    return
  }
  say(shell, `Imported last at ${importedAt}`)
  for (const one of listOf(ecosystems)) {
    const name = String(one['ecosystem']).padEnd(16)
    say(shell, `${name} ${String(one['records'])} advisories, up to ${String(one['modifiedAt'])}`)
  }
  for (const { problem, disks: count } of listOf(disks)) {
    const what = typeof problem === 'string' ? `not scanned: ${problem}` : 'scanned'
    say(shell, `${String(count)} ${Number(count) === 1 ? 'disk' : 'disks'} ${what}`)
  }
}

/** What is read of a record, as JSON; nothing where it is about nothing that is read here. */
function trim(record: unknown, file: string): string | undefined {
  try {
    const trimmed = trimRecord(record)
    const { advisories } = readRecord(trimmed)
    const isWithdrawn = 'withdrawn' in trimmed
    return advisories.length > 0 || isWithdrawn ? JSON.stringify(trimmed) : undefined
  } catch (error) {
    if (error instanceof BadRecord) throw new CommandFailed(`Cannot read ${file}: ${error.message}`)
    throw error
  }
}

async function* recordsIn(
  from: string,
): AsyncGenerator<{ readonly file: string; readonly record: unknown }> {
  const found = await stat(from).catch((error: unknown) => {
    throw new CommandFailed(`Cannot read the advisories: ${messageOf(error)}`)
  })
  if (!found.isDirectory()) return yield* recordsOf(from)
  for await (const name of glob('**/*.{json,jsonl,ndjson}', { cwd: from })) {
    yield* recordsOf(resolve(from, name))
  }
}

async function* recordsOf(
  file: string,
): AsyncGenerator<{ readonly file: string; readonly record: unknown }> {
  if (file.endsWith('.json')) {
    const read = parse(await readFile(file, 'utf8'), file)
    for (const record of Array.isArray(read) ? (read as unknown[]) : [read]) yield { file, record }
    return
  }
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity })
  for await (const line of lines) if (line.trim() !== '') yield { file, record: parse(line, file) }
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new CommandFailed(`Cannot read ${file}: it is not JSON`)
  }
}

const listOf = (given: unknown): readonly Fields[] =>
  Array.isArray(given) ? (given as readonly Fields[]) : []
