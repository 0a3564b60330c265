/**
 * Runs `qemu-img`. It dies with us: what it was doing is done again from the
 * start by whoever asked for it, and it must not hold the files' locks then.
 * What comes from outside it reads within walls, where there is nothing else and no network.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toolEnvironment } from '../vpc/run.ts'
import { confined, type View } from './confine.ts'
import { type NamedSecret, SecretFiles } from './secret-file.ts'

/** What a run over a file from outside may use up. */
export interface Limits {
  readonly addressSpaceBytes: number
  readonly cpuSeconds: number
}

export interface QemuImgOptions {
  readonly limits?: Limits
  /** The files that it sees, and no others; those of the host where this is not said. */
  readonly views?: readonly View[]
  readonly onOutput?: (text: string) => void
  readonly signal?: AbortSignal
  /** What the images are encrypted with. */
  readonly secrets?: readonly NamedSecret[]
}

export class QemuImgFailed extends Error {
  override readonly name = 'QemuImgFailed'
  /** Nothing where it was killed. */
  readonly exitCode: number | undefined

  constructor(message: string, exitCode: number | undefined) {
    super(message)
    this.exitCode = exitCode
  }
}

const stderrCharactersMax = 4_000

/** Runs it with the arguments and returns what it wrote; throws what it complained of. */
export async function qemuImg(
  [verb = '', ...args]: readonly string[],
  { limits, views, onOutput, signal, secrets = [] }: QemuImgOptions = {},
): Promise<string> {
  await using files = await SecretFiles.open(secrets)
  await using walls = views && (await buildWalls(views))
  const command = ['setpriv', '--pdeathsig', 'KILL', ...(walls?.command ?? [])]
  if (limits) {
    command.push('prlimit', `--as=${limits.addressSpaceBytes}`, `--cpu=${limits.cpuSeconds}`)
    command.push('--core=0')
  }
  const [program = '', ...rest] = [
    ...command,
    'qemu-img',
    verb,
    ...files.objects('--object'),
    ...args,
  ]
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe', ...files.descriptors],
    env: toolEnvironment,
    ...(signal && { signal, killSignal: 'SIGKILL' }),
  })
  const { stdout, stderr } = child
  assert(stdout && stderr)
  const output: string[] = []
  let complaint = ''
  stdout.setEncoding('utf8').on('data', (text: string) => {
    if (onOutput) onOutput(text)
    else output.push(text)
  })
  stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-stderrCharactersMax)
  })
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  child.on('error', reject)
  child.on('close', (code, killedBy) => {
    if (code === 0) return resolve(output.join(''))
    const end = complaint.trim() || (killedBy ? `killed by ${killedBy}` : `exit ${code}`)
    reject(new QemuImgFailed(`qemu-img ${verb}: ${end}`, code ?? undefined))
  })
  return await promise
}

/** The folder that they are built in is gone with them. */
async function buildWalls(
  views: readonly View[],
): Promise<AsyncDisposable & { readonly command: readonly string[] }> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'imago-walls-'))
  const besides = ['--kill-child', '--net']
  return {
    command: await confined(folder, { enter: [], views, pidFile: join(folder, 'pid'), besides }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
