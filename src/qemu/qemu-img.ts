/**
 * Runs `qemu-img`. It dies with us: what it was doing is done again from the
 * start by whoever asked for it, and it must not hold the files' locks then.
 */
import { spawn } from 'node:child_process'

/** What a run over a file from outside may use up. */
export interface Limits {
  readonly addressSpaceBytes: number
  readonly cpuSeconds: number
}

export interface QemuImgOptions {
  readonly limits?: Limits
  readonly onOutput?: (text: string) => void
  readonly signal?: AbortSignal
}

export class QemuImgFailed extends Error {
  override readonly name = 'QemuImgFailed'
}

const stderrCharactersMax = 4_000

/** Runs it with the arguments and returns what it wrote; throws what it complained of. */
export async function qemuImg(
  args: readonly string[],
  { limits, onOutput, signal }: QemuImgOptions = {},
): Promise<string> {
  const command = ['setpriv', '--pdeathsig', 'KILL']
  if (limits) {
    command.push('prlimit', `--as=${limits.addressSpaceBytes}`, `--cpu=${limits.cpuSeconds}`)
    command.push('--core=0')
  }
  const [program = '', ...rest] = [...command, 'qemu-img', ...args]
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal && { signal, killSignal: 'SIGKILL' }),
  })
  const output: string[] = []
  let complaint = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (onOutput) onOutput(text)
    else output.push(text)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-stderrCharactersMax)
  })
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  child.on('error', reject)
  child.on('close', (code, killedBy) => {
    if (code === 0) return resolve(output.join(''))
    const end = complaint.trim() || (killedBy ? `killed by ${killedBy}` : `exit ${code}`)
    reject(new QemuImgFailed(`qemu-img ${args[0]}: ${end}`))
  })
  return promise
}
