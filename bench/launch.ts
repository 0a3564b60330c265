/**
 * From `RunInstances` to the first byte that the guest itself writes to its serial
 * console (its boot loader's: what comes before is the firmware's), next to the
 * same QEMU with the same arguments, started by hand on an overlay made before.
 * Then 20 at once, both ways.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { copyFile, mkdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { run, until } from './commands.ts'
import { importImage, obtainDisk, scratchFolder } from './disks.ts'
import { printTable, ratio, short, spread } from './figures.ts'
import type { SignedClient } from './signed-client.ts'
import { type RunningService, processorSeconds, startService } from './start-service.ts'

const rounds = 5
const manyCount = 20

/** Where the firmware is done. Whoever comes first of the guest's: its boot loader, or its kernel. */
const guestSpeaks = /Welcome to GRUB|Linux version|login:/
const guestIsUp = /Imago tiny is up/
const lookEveryMs = 2

interface Bench {
  readonly service: RunningService
  readonly data: string
  readonly image: string
}

export async function benchLaunch(): Promise<void> {
  const disk = await obtainDisk('tiny')
  await using folder = await scratchFolder()
  const data = join(folder.path, 'imago')
  await mkdir(data)
  await using service = await startService(data)
  const image = await importImage(service.client, disk)
  const bench = { service, data, image }

  // The first of all has its network made, and reads the image's disk out of the store.
  const first = await launch(bench, 1)
  await Promise.all(first.ids.map((id) => awaitUp(consoleOf(bench, id))))
  await terminate(bench, first.ids)
  // The next one has it in a file.
  const next = await launch(bench, 1)
  const args = await commandOf(bench, next.ids[0] ?? '')
  const base = await basePathOf(args)
  await terminate(bench, next.ids)

  const ours: number[] = []
  const answers: number[] = []
  const byHand: number[] = []
  for (let round = 0; round < rounds; round++) {
    const launched = await launch(bench, 1)
    ours.push(launched.firstOutputMs[0] ?? 0)
    answers.push(launched.answeredMs)
    await terminate(bench, launched.ids)
    const hand = await startByHand(join(folder.path, `hand-${round}`), { args, base, count: 1 })
    byHand.push(hand.firstOutputMs[0] ?? 0)
    await hand.end()
  }
  const seconds = (values: readonly number[]) => values.map((ms) => ms / 1000)
  console.log(`Launching tiny (t3.nano, UEFI, ${service.accelerator}), ${rounds} rounds\n`)
  printTable([
    ['until the guest speaks', 'seconds', 'of by hand'],
    ['imago: from the call RunInstances', spread(seconds(ours)), ratio(ours, byHand)],
    ['by hand: from the start of QEMU', spread(seconds(byHand)), '1.00×'],
    ['imago: RunInstances has answered', spread(seconds(answers)), ''],
    ['imago: the very first launch', short((first.firstOutputMs[0] ?? 0) / 1000), ''],
  ])
  await benchMany(bench, folder.path, { args, base })
}

async function benchMany(bench: Bench, folder: string, prepared: Prepared): Promise<void> {
  const { service } = bench
  const before = await processorSeconds(service.pid)
  const start = performance.now()
  const many = await launch(bench, manyCount)
  await Promise.all(many.ids.map((id) => awaitUp(consoleOf(bench, id))))
  const wall = (performance.now() - start) / 1000
  const own = (await processorSeconds(service.pid)) - before
  const pids = await Promise.all(many.ids.map((id) => pidOf(bench, id)))
  const guests = await sum(pids.map(processorSeconds))
  await terminate(bench, many.ids)

  const handStart = performance.now()
  const hand = await startByHand(join(folder, 'hands'), { ...prepared, count: manyCount })
  await Promise.all(hand.consoles.map(awaitUp))
  const handWall = (performance.now() - handStart) / 1000
  const handGuests = await sum(hand.pids.map(processorSeconds))
  await hand.end()

  const last = (ms: readonly number[]) => short(Math.max(...ms) / 1000)
  console.log(`${manyCount} at once, one run\n`)
  printTable([
    ['', 'the last speaks, s', 'all are up, s', 'processor s: guests', 'processor s: service'],
    ['imago', last(many.firstOutputMs), short(wall), short(guests), short(own)],
    ['by hand', last(hand.firstOutputMs), short(handWall), short(handGuests), '-'],
  ])
}

/** Launches so many by one call, and waits until each speaks. */
async function launch(bench: Bench, count: number) {
  const { client } = bench.service
  const start = performance.now()
  const answer = await client.ec2('RunInstances', {
    ImageId: bench.image,
    InstanceType: 't3.nano',
    MinCount: count,
    MaxCount: count,
  })
  const answeredMs = performance.now() - start
  const ids = [...answer.matchAll(/<instanceId>([^<]+)</g)].map(([, id = '']) => id)
  assert.equal(ids.length, count)
  const firstOutputMs = await Promise.all(
    ids.map((id) => firstOutput(consoleOf(bench, id), guestSpeaks, start)),
  )
  return { ids, answeredMs, firstOutputMs }
}

async function terminate({ service }: Bench, ids: readonly string[]): Promise<void> {
  const named = Object.fromEntries(ids.map((id, index) => [`InstanceId.${index + 1}`, id]))
  await service.client.ec2('TerminateInstances', named)
  await until(async () => isTerminated(service.client, named), { everyMs: 50 })
}

async function isTerminated(
  client: SignedClient,
  named: Readonly<Record<string, string>>,
): Promise<true | undefined> {
  const text = await client.ec2('DescribeInstances', named)
  const ended = text.match(/<name>terminated<\/name>/g)?.length ?? 0
  return ended === Object.keys(named).length || undefined
}

interface Prepared {
  /** As QEMU was started for an instance; the first is the program. */
  readonly args: readonly string[]
  readonly base: string
}

/** Starts QEMU with the same arguments in folders of its own, on user-mode networking. */
async function startByHand(
  folder: string,
  { args, base, count }: Prepared & { readonly count: number },
) {
  const [program = '', ...rest] = args
  const instanceFolder = /^(.*)\/pid$/.exec(rest[rest.indexOf('-pidfile') + 1] ?? '')?.[1] ?? ''
  const code = rest.map((arg) => /file=([^,]*CODE[^,]*)/i.exec(arg)?.[1]).find(Boolean)
  const template = code?.replace('CODE', 'VARS').replace('code', 'vars')
  const places = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const own = join(folder, String(index))
      await mkdir(own, { recursive: true })
      const overlay = join(own, 'disk.qcow2')
      await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', base, overlay])
      // Variables as a machine has them that never ran, as those of a new instance are.
      if (template) await copyFile(template, join(own, 'uefi-variables.fd'))
      const changed = rest.map((arg) =>
        arg
          .replaceAll(instanceFolder, own)
          .replace(/"[^"]*\/\d+\.qcow2"/g, JSON.stringify(overlay))
          .replace(/^tap,id=([^,]+),.*$/, 'user,id=$1'),
      )
      return { own, changed }
    }),
  )
  const start = performance.now()
  const children: ChildProcess[] = places.map(({ own, changed }) =>
    // It ends with the bench, whatever ends that.
    spawn('setpriv', ['--pdeathsig', 'KILL', program, ...changed], {
      cwd: own,
      stdio: ['ignore', 'ignore', 'inherit'],
    }),
  )
  const consoles = places.map(({ own }) => join(own, 'console.log'))
  const firstOutputMs = await Promise.all(
    consoles.map((console) => firstOutput(console, guestSpeaks, start)),
  )
  return {
    firstOutputMs,
    consoles,
    pids: children.map(({ pid = 0 }) => pid),
    async end() {
      await Promise.all(
        children.map(async (child) => {
          const ended = new Promise((resolve) => child.once('exit', resolve))
          child.kill('SIGKILL')
          await ended
        }),
      )
      await rm(folder, { recursive: true })
    },
  }
}

/** Milliseconds from `start` until the file has text that matches. */
async function firstOutput(path: string, pattern: RegExp, start: number): Promise<number> {
  let seenBytes = 0
  return await until(
    async () => {
      const size = await stat(path).then(
        (found) => found.size,
        () => 0,
      )
      if (size === seenBytes) return undefined
      const at = performance.now()
      seenBytes = size
      return pattern.test(await readFile(path, 'latin1')) ? at - start : undefined
    },
    { everyMs: lookEveryMs },
  )
}

async function awaitUp(console: string): Promise<void> {
  await firstOutput(console, guestIsUp, 0)
}

const consoleOf = ({ data }: Bench, id: string): string => join(data, 'run', id, 'console.log')

async function pidOf({ data }: Bench, id: string): Promise<number> {
  return Number(await readFile(join(data, 'run', id, 'pid'), 'utf8'))
}

async function commandOf(bench: Bench, id: string): Promise<readonly string[]> {
  const line = await readFile(`/proc/${await pidOf(bench, id)}/cmdline`, 'utf8')
  return line.split('\0').slice(0, -1)
}

/** The raw file that the lowest layer lies over. */
async function basePathOf(args: readonly string[]): Promise<string> {
  const base = args.map((arg) => /"([^"]*\/bases\/[^"]*\.raw)"/.exec(arg)?.[1]).find(Boolean)
  assert(base, 'no base among the arguments')
  return base
}

async function sum(values: readonly Promise<number>[]): Promise<number> {
  return (await Promise.all(values)).reduce((total, value) => total + value, 0)
}
