/**
 * The service in a process of its own, to be killed. It tells its endpoint and
 * key; counts the points that it passes; and kills itself at one, if told so.
 */
import { readConfig } from '../src/config.ts'
import { openSqlite } from '../src/db/database.ts'
import { openImago } from '../src/main.ts'
import { watchCommits, watchEffects } from './crash-points.ts'

/** To die at the `nth` point of a name, or of all where there is no name. */
export interface Death {
  readonly name?: string
  readonly nth: number
}

export type ToChild = { readonly dieAt: Death } | 'count' | 'close'

export type FromChild =
  | { readonly endpoint: string; readonly id: string; readonly secret: string }
  | { readonly points: Readonly<Record<string, number>> }

const passed = new Map<string, number>()
let death: Death | undefined
let left = 0

function dieAt(wanted: Death): void {
  death = wanted
  left = wanted.nth
}

function onPoint(name: string): void {
  passed.set(name, (passed.get(name) ?? 0) + 1)
  if (!death || (death.name !== undefined && death.name !== name) || --left > 0) return
  process.kill(process.pid, 'SIGKILL')
}

const tell = (message: FromChild) => void process.send?.(message)

const config = readConfig(process.env)
const early = process.argv[2]
if (early !== undefined) dieAt(JSON.parse(early) as Death)
watchEffects(onPoint)
const note =
  (level: string) =>
  (message: string, fields: object = {}) =>
    console.error(level, message, fields)
const database = watchCommits(openSqlite(`${config.dataFolder}/imago.db`), onPoint)
const imago = await openImago({
  config,
  hasNoStarter: true,
  database,
  log: { info() {}, warn: note('warning'), error: note('error') },
})
process.on('message', (message: ToChild) => {
  if (message === 'count') {
    tell({ points: Object.fromEntries(passed) })
    passed.clear()
  } else if (message === 'close') {
    void imago.close().then(() => process.exit())
  } else dieAt(message.dieAt)
})
const { endpoint, rootKey } = imago
tell({ endpoint, id: rootKey.id, secret: rootKey.secret.reveal() })
