/** The command `imago` as a person types it, with a data folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { endProcess } from '../src/qemu/machine-process.ts'
import { Vpc } from '../src/vpc/vpc.ts'

const command = resolve(import.meta.dirname, '..', 'bin', 'imago')

export interface Outcome {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

export interface RunOptions {
  readonly input?: string
  readonly until?: RegExp
}

export interface CommandLine {
  readonly dataFolder: string
  /** Runs a command to its end. With `until`, Ctrl-C is pressed once it has written that. */
  run(args: readonly string[], options?: RunOptions): Promise<Outcome>
  /** Starts the service; it is ended with the test. `port` is 0 for any. */
  serve(options?: { readonly port?: number }): Service
}

export interface Service {
  /** What it has said so far. */
  said(): string
  /** Waits until it has said that. */
  hasSaid(text: RegExp): Promise<void>
  /** Waits until it can be called. */
  answers(): Promise<void>
  stop(): Promise<number | null>
}

/** With settings beside the usual ones, where there are `more`. */
export async function commandLine(
  context: Pick<TestContext, 'after'>,
  more: Readonly<Record<string, string>> = {},
): Promise<CommandLine> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'imago-cli-'))
  const services: ChildProcess[] = []
  context.after(async () => {
    for (const service of services) await stop(service)
    const runFolder = join(dataFolder, 'run')
    for (const name of await readdir(runFolder).catch(() => [])) {
      await endProcess(join(runFolder, name))
      if (name.startsWith('vpc-')) await new Vpc(join(runFolder, name)).destroy()
    }
    await rm(dataFolder, { recursive: true, force: true })
  })
  const environment = {
    ...process.env,
    IMAGO_DATA: dataFolder,
    IMAGO_LISTEN: '127.0.0.1:0',
    IMAGO_ACCEL: process.env['IMAGO_ACCEL'] ?? 'tcg',
    ...more,
  }
  return {
    dataFolder,
    run: (args, options) => run(args, { environment, folder: dataFolder, ...options }),
    serve({ port = 0 } = {}) {
      const listen = { IMAGO_LISTEN: `127.0.0.1:${port}` }
      const child = spawn(command, ['serve'], { env: { ...environment, ...listen } })
      services.push(child)
      let text = ''
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      }
      const until = async (is: () => boolean) => {
        while (!is()) {
          if (hasEnded(child)) throw new Error(`the service has ended: ${text}`)
          await sleep(50)
        }
      }
      return {
        said: () => text,
        hasSaid: (wanted) => until(() => wanted.test(text)),
        answers: () => until(() => existsSync(join(dataFolder, 'endpoint'))),
        stop: () => stop(child),
      }
    },
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

async function stop(child: ChildProcess): Promise<number | null> {
  if (!hasEnded(child)) {
    child.kill('SIGTERM')
    await once(child, 'close')
  }
  return child.exitCode
}

async function run(
  args: readonly string[],
  options: RunOptions & { readonly environment: NodeJS.ProcessEnv; readonly folder: string },
): Promise<Outcome> {
  const { environment, folder, input = '', until } = options
  const child = spawn(command, args, { env: environment, cwd: folder })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
    if (until?.test(output) && !child.killed) child.kill('SIGINT')
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk))
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output, errors }
}
