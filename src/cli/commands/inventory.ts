/** `imago inventory`: which images there are, who may launch them and who does; and which machine is of which image. */
import { setTimeout as wait } from 'node:timers/promises'
import { CommandFailed } from '../failure.ts'
import { callImago, type Fields } from '../imago-client.ts'
import { readInstallation } from '../installation.ts'
import { say, type Shell } from '../shell.ts'
import { csvOf, tableOf } from '../table.ts'

export interface InventoryOptions {
  readonly all?: true
  readonly format?: string
  readonly instance?: string
  readonly image?: string
}

type Row = readonly string[]
type Column = readonly [title: string, text: (item: Fields) => string]

const bytesPerMiB = 2 ** 20
const measuringMs = 500
/** An inventory without sizes is better than none. */
const patienceMs = 120_000

export async function showInventory(shell: Shell, options: InventoryOptions): Promise<void> {
  const { format = 'table', instance, image } = options
  if (format !== 'table' && format !== 'json' && format !== 'csv') {
    throw new CommandFailed(`There is no such format: ${format}. There are table, json and csv`)
  }
  const isOfLaunches = instance !== undefined || image !== undefined
  const items = await readAll(shell, isOfLaunches, {
    ...(options.all && { all: true }),
    ...(instance !== undefined && { instanceId: instance }),
    ...(image !== undefined && { imageId: image }),
  })
  if (format === 'json') return say(shell, JSON.stringify(items, undefined, 2))
  const columns = isOfLaunches ? launchColumns : imageColumns
  const rows: Row[] = items.map((item) => columns.map(([, text]) => text(item)))
  const titles = columns.map(([title]) => title)
  say(shell, format === 'csv' ? csvOf(titles, rows) : tableOf(titles, rows))
}

async function readAll(shell: Shell, isOfLaunches: boolean, wanted: object): Promise<Fields[]> {
  const { access } = readInstallation(shell)
  const path = isOfLaunches ? '/imago/v1/launches' : '/imago/v1/inventory'
  const items: Fields[] = []
  let nextToken: unknown
  let isWhole = false
  const patientUntil = new Date(shell.now().getTime() + patienceMs)
  do {
    const body = { ...wanted, maxResults: 1000, ...(nextToken !== undefined && { nextToken }) }
    const answer = await callImago(access, 'POST', path, body)
    // The sizes of images are found out meanwhile.
    if (answer['isMeasuring'] === true && shell.now() < patientUntil) {
      await wait(measuringMs)
      continue
    }
    const page = answer[isOfLaunches ? 'launches' : 'images']
    if (Array.isArray(page)) items.push(...(page as readonly Fields[]))
    nextToken = answer['nextToken']
    isWhole = nextToken === undefined
  } while (!isWhole)
  return items
}

const textOf = (value: unknown): string => {
  if (value === undefined || value === null) return ''
  if (Array.isArray(value)) return value.map(textOf).join(' ')
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}
const field =
  (name: string) =>
  (item: Fields): string =>
    textOf(item[name])
const mebibytes = (name: string) => (item: Fields) =>
  item[name] === undefined ? '' : (Number(item[name]) / bytesPerMiB).toFixed(1)
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

const imageColumns: readonly Column[] = [
  ['IMAGE', field('imageId')],
  ['NAME', field('name')],
  ['OWNER', field('ownerId')],
  ['STATE', stateOf],
  ['AGE (DAYS)', field('ageDays')],
  ['PARENT', (item) => textOf(item['sourceImageId'] ?? item['sourceInstanceId'])],
  ['ALONE (MiB)', mebibytes('aloneBytes')],
  ['SHARED (MiB)', mebibytes('sharedBytes')],
  ['MAY LAUNCH', mayLaunch],
  ['MACHINES', field('machines')],
  ['RUNNING', field('machinesRunning')],
  ['ALIASES', field('aliases')],
  ['CHILDREN', field('children')],
  ['LAST LAUNCHED', field('lastLaunchedAt')],
  ['DEPRECATED', field('deprecatesAt')],
  ['EXPIRES', field('expiresAt')],
]

function stateOf(item: Fields): string {
  const state = textOf(item['state'])
  return item['isDeprecated'] === true ? `${state}, deprecated` : state
}

function mayLaunch({ mayLaunch: who }: Fields): string {
  const fields = new Map<string, unknown>(typeof who === 'object' && who ? Object.entries(who) : [])
  const others = ['accounts', 'organizations', 'organizationalUnits'].flatMap((kind) => [
    ...list(fields.get(kind)),
  ])
  return [...(fields.get('public') === true ? ['everyone'] : []), ...others.map(textOf)].join(' ')
}

/** What took the place of the root, one after the other: an image, a snapshot or a volume. */
function rootsSince(item: Fields): string {
  const roots = list(item['rootReplacements']) as readonly Fields[]
  return roots
    .map((root) => textOf(root['imageId'] ?? root['snapshotId'] ?? root['volumeId']))
    .join(' ')
}

const launchColumns: readonly Column[] = [
  ['INSTANCE', field('instanceId')],
  ['ACCOUNT', field('accountId')],
  ['REGION', field('region')],
  ['TYPE', field('instanceType')],
  ['IMAGE', field('imageId')],
  ['NAME', field('imageName')],
  ['IMAGE OWNER', field('imageOwnerId')],
  ['IMAGE STATE', field('imageState')],
  ['LAUNCHED', field('launchedAt')],
  ['BY', field('launchedBy')],
  ['ROOTS SINCE', rootsSince],
  ['GONE', field('endedAt')],
]
