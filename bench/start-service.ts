/** Starts the service for a bench, and looks at what it takes. */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Server, SignedClient } from './signed-client.ts'

export interface RunningService extends AsyncDisposable {
  readonly pid: number
  readonly client: SignedClient
  /** Where it is, for clients of other kinds. */
  readonly server: Server
  readonly accelerator: string
  /** From the start of the process until it listens. */
  readonly startMs: number
  /** Resident memory, now and at its highest. */
  memory(): Promise<{ readonly nowMiB: number; readonly peakMiB: number }>
  /** From now on, the highest is counted anew. */
  forgetPeak(): Promise<void>
  /** What it has used of processors so far. */
  processorSeconds(): Promise<number>
}

interface Ready {
  readonly endpoint: string
  readonly keyId: string
  readonly secret: string
  readonly accelerator: string
}

export async function startService(
  dataFolder: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningService> {
  const program = fileURLToPath(new URL('service.ts', import.meta.url))
  const startedAt = performance.now()
  const child = fork(program, [dataFolder], {
    // As `bin/imago` has it.
    execArgv: [
      '--max-semi-space-size=4',
      '--expose-gc',
      ...(process.env['BENCH_NODE']?.split(' ') ?? []),
    ],
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit')
  const [ready] = (await Promise.race([
    once(child, 'message'),
    ended.then(([code]) => assert.fail(`the service ended at once: ${String(code)}`)),
  ])) as [Ready]
  const startMs = performance.now() - startedAt
  const { pid } = child
  assert(pid !== undefined)
  const server = { ...ready, region: 'us-east-1' }
  const client = new SignedClient(server)
  return {
    pid,
    client,
    server,
    accelerator: ready.accelerator,
    startMs,
    memory: () => memoryOf(pid),
    forgetPeak: () => writeFile(`/proc/${pid}/clear_refs`, '5'),
    processorSeconds: () => processorSeconds(pid),
    async [Symbol.asyncDispose]() {
      client.close()
      child.kill('SIGTERM')
      await ended
    },
  }
}

async function memoryOf(pid: number) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const mebibytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024
  return { nowMiB: mebibytes('VmRSS'), peakMiB: mebibytes('VmHWM') }
}

/** What a process has used of processors so far. */
export async function processorSeconds(pid: number): Promise<number> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8')
  const [user, system] = line
    .slice(line.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
  return (Number(user) + Number(system)) / 100
}
